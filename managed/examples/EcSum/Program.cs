// EcSum: the main job of FastJobs from .NET. Reads every file in jobs of the IO lane, hashes it (SHA-256) in jobs of the
// CPU lane, and prints in the order of the input what sha256sum prints. Its sibling in C is native/examples/ecsum.
//
//   EcSum FILE|DIRECTORY...        a directory's files, sorted, without links
//
// .NET does not tell a FIFO or a device from a file, and names that are not UTF-8 cannot be opened: the C sibling handles
// both.
//
// Memory is bounded: as many batches are in flight as there are chunks, whatever the number and size of the files.
using System.Threading.Channels;
using EcSum;
using FastJobs;

if (args.Length == 0 || args[0] is "-h" or "--help")
{
    Console.Error.WriteLine("usage: EcSum FILE|DIRECTORY...");
    return args.Length == 0 ? 2 : 0;
}

await using var engine = new JobEngine();
engine.Cpu.Concurrency = Environment.ProcessorCount;
var hasher = new BatchHasher(engine);

// What waits here is in the order of the input; its capacity is the number of batches in flight.
Channel<Task<Batch>> window = FastJobs.Channels.LockFreeChannel.CreateBounded<Task<Batch>>(4 * Environment.ProcessorCount);
Task<int> printer = Printer.RunAsync(window.Reader, hasher);
foreach (Batch batch in Walk.Batches(args, hasher.Rent))
{
    await window.Writer.WriteAsync(hasher.HashAsync(batch));
}

window.Writer.Complete();
return await printer;
