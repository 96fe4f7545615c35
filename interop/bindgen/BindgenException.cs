namespace FastJobs.Bindgen;

/// <summary>Something the user of the generator has to act on; the message says what.</summary>
internal sealed class BindgenException(string message) : Exception(message);
