using System.IO.Compression;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Xml.Linq;
using FastJobs.Channels;
using Xunit;

namespace FastJobs.PackageConsumer;

/// <summary>What is in the package, and that this program runs with it.</summary>
public sealed class PackageTests : IDisposable
{
    private static readonly string[] s_frameworks = ["net9.0", "net10.0"];

    private readonly ZipArchive _package = Open("nupkg");

    public void Dispose() => _package.Dispose();

    [Fact]
    public void Assembly_OfThisProgram_IsTheOneInThePackage() =>
        Assert.Equal(Read(_package, "lib/net10.0/FastJobs.dll"), File.ReadAllBytes(typeof(LockFreeChannel).Assembly.Location));

    [Fact]
    public void Metadata_OfThePackage_IsComplete()
    {
        Assert.Equal(Setting("Version"), Metadata("version").Value);
        Assert.Equal("MIT", Metadata("license").Value);
        Assert.Equal("expression", Metadata("license").Attribute("type")?.Value);
        Assert.NotEmpty(Metadata("authors").Value);
        Assert.NotEmpty(Metadata("description").Value);
        Assert.NotEmpty(Metadata("tags").Value);
    }

    [Fact]
    public void Repository_WhenPackedInACheckout_NamesTheCommit()
    {
        Assert.SkipUnless(Directory.Exists(Path.Combine(Root, ".git")), "no git checkout");

        Assert.Equal("git", Metadata("repository").Attribute("type")?.Value);
        Assert.Matches("^[0-9a-f]{40}$", Metadata("repository").Attribute("commit")?.Value);
    }

    [Fact]
    public void Readme_IsThatOfTheRepository()
    {
        Assert.Equal("README.md", Metadata("readme").Value);
        Assert.Equal(File.ReadAllBytes(Path.Combine(Root, "README.md")), Read(_package, "README.md"));
    }

    [Fact]
    public void Documentation_OfEveryFramework_DescribesThePublicTypes()
    {
        foreach (string framework in s_frameworks)
        {
            using MemoryStream file = new(Read(_package, $"lib/{framework}/FastJobs.xml"));
            HashSet<string?> documented = [.. XDocument.Load(file).Descendants("member").Select(m => m.Attribute("name")?.Value)];
            Assert.All(typeof(LockFreeChannel).Assembly.GetExportedTypes(), type => Assert.Contains($"T:{type.FullName}", documented));
        }
    }

    [Fact]
    public void Assembly_OfEveryFramework_IsDeterministicAndItsSourcesNameNoMachine()
    {
        using ZipArchive symbols = Open("snupkg");
        foreach (string framework in s_frameworks)
        {
            using PEReader assembly = new(new MemoryStream(Read(_package, $"lib/{framework}/FastJobs.dll")));
            Assert.Contains(assembly.ReadDebugDirectory(), entry => entry.Type == DebugDirectoryEntryType.Reproducible);

            using MemoryStream file = new(Read(symbols, $"lib/{framework}/FastJobs.pdb"));
            using var provider = MetadataReaderProvider.FromPortablePdbStream(file);
            MetadataReader pdb = provider.GetMetadataReader();
            Assert.NotEmpty(pdb.Documents);
            Assert.All(pdb.Documents, document => Assert.StartsWith("/_", pdb.GetString(pdb.GetDocument(document).Name)));
        }
    }

    private static string Root => Path.GetFullPath(Path.Combine(Setting("Packages"), "..", ".."));

    private static string Setting(string key) =>
        typeof(PackageTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;

    private static ZipArchive Open(string extension) =>
        ZipFile.OpenRead(Path.Combine(Setting("Packages"), $"FastJobs.{Setting("Version")}.{extension}"));

    private static byte[] Read(ZipArchive archive, string name)
    {
        ZipArchiveEntry? entry = archive.GetEntry(name);
        Assert.True(entry is not null, $"{name} is not in the package");
        using MemoryStream content = new();
        using (Stream stream = entry.Open())
        {
            stream.CopyTo(content);
        }

        return content.ToArray();
    }

    private XElement Metadata(string name)
    {
        using MemoryStream file = new(Read(_package, "FastJobs.nuspec"));
        XElement? element = XDocument.Load(file).Descendants().FirstOrDefault(e => e.Name.LocalName == name);
        Assert.True(element is not null, $"the package says no {name}");
        return element;
    }
}
