using System.Reflection;
using BenchmarkDotNet.Reports;

namespace FastJobs.Benchmarks;

/// <summary>How many bytes an operation of the benchmark may allocate, on average.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class AllocationGateAttribute(double bytes) : Attribute
{
    public double Bytes { get; } = bytes;
}

/// <summary>Compares what a benchmark allocated with its gate.</summary>
internal static class AllocationGate
{
    public static bool Holds(BenchmarkReport report)
    {
        string name = report.BenchmarkCase.Descriptor.DisplayInfo;
        if (report.BenchmarkCase.Descriptor.WorkloadMethod.GetCustomAttribute<AllocationGateAttribute>() is not { } gate)
        {
            return true; // a rival
        }

        if (!report.Success)
        {
            Console.WriteLine($"gate: {name} did not run");
            return false;
        }

        double bytes = report.GcStats.GetTotalAllocatedBytes(excludeAllocationQuantumSideEffects: true) is { } total
            ? (double)total / report.GcStats.TotalOperations
            : double.NaN;
        bool holds = bytes <= gate.Bytes;
        Console.WriteLine($"gate: {name}: {bytes:F3} bytes, allowed {gate.Bytes}: {(holds ? "holds" : "FAILS")}");
        return holds;
    }
}
