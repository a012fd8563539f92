// The options about the cache, and what they make of a configuration. Decides; runs nothing.

internal import ArgumentParser
internal import Fetch
internal import Glibc

struct CacheArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Most bytes of stored responses; with --cache-dir of the directory too, which takes "
                + "two mebibytes at least (default: 100 MiB in memory, 1 GiB in the directory).",
            valueName: "bytes"))
    var cacheSize: Int?

    @Option(
        help: ArgumentHelp(
            "Keep responses in a file of this directory as well, which is made if it is not there.",
            valueName: "dir"))
    var cacheDir: String?

    @Flag(name: .customLong("no-cache"), help: "Store no responses, and use none.")
    var noCache = false

    mutating func validate() throws {
        if noCache, cacheSize != nil || cacheDir != nil {
            throw ValidationError("--no-cache excludes --cache-size and --cache-dir.")
        }
        if let cacheSize, cacheSize < 0 {
            throw ValidationError("--cache-size must not be below 0.")
        }
        var checked = FetcherConfiguration()
        apply(to: &checked)
        do {
            try checked.validate()
        } catch {
            throw ValidationError("--cache-dir: \((error as? FetchError)?.reason ?? "\(error)")")
        }
    }

    func apply(to configuration: inout FetcherConfiguration) {
        guard !noCache else {
            configuration.cache = .disabled
            return
        }
        if let cacheSize { configuration.cache.mostBytes = cacheSize }
        guard let cacheDir else { return }
        configuration.cache.disk = CacheConfiguration.Disk(directory: cacheDir)
        if let cacheSize { configuration.cache.disk?.mostBytes = cacheSize }
        configuration.cache.onWarning = { writeAll("fetch: \($0.text)\n", to: STDERR_FILENO) }
    }
}

extension CacheConfiguration.Warning {
    fileprivate var text: String {
        switch self {
        case .fileReplaced(let path, let reason):
            "the cache \(path) could not be read and was begun anew: \(reason)"
        case .fileBypassed(let path, let reason): "the cache \(path) is not used: \(reason)"
        case .storeFailed(let reason): "the cache failed: \(reason)"
        }
    }
}
