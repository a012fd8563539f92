// `bench tls-download`: a gibibyte over TLS beside curl, in CPU seconds. Reads arguments, starts
// the server, prints. Main thread.

import ArgumentParser

/// A large body over TLS.
struct TLSDownloadCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls-download",
        abstract: "CPU seconds of a gibibyte over TLS beside curl.",
        discussion: """
            The body is read as a stream and thrown away; a client that got another number of \
            bytes has failed. Ends with exit code 1 where a demand is missed.
            """)

    @OptionGroup var options: SecureOptions

    func run() throws {
        let curl = try require("curl", package: "curl")
        let bench = try SecureComparison(connections: 1)
        defer { bench.origin.stop() }
        try bench.origin.makeDownload()
        let url = bench.origin.url("/download")
        let contenders = [
            Contender.downloading(
                "curl", curl,
                [
                    "-sS", "--fail", "-o", "/dev/null", "-w", "%{size_download}\n",
                    "--cacert", bench.origin.authority, url,
                ]
            ) { Int($0.filter(\.isNumber)) },
            Contender.downloading(
                "swift-fetch, stream", ChildProcess.ownPath,
                [
                    "http", url, "--connections", "1", "--requests", "1", "--stream", "--lines",
                    "--cacert", bench.origin.authority,
                ]
            ) { Report(lines: $0)?.bytes },
        ]
        let comparison = try bench.measured(
            contenders,
            Comparison.Yardstick(noun: "download", referenceName: "curl", isInSeconds: true),
            runs: options.runs)
        try bench.conclude(
            comparison, "1 GiB over TLS",
            [Demand("CPU beside curl's:", comparison.ratio(of: 1), .atMost(1))],
            json: options.json)
    }
}

extension Contender {
    /// A client that makes one download, and how the bytes it got are read from what it printed.
    package static func downloading(
        _ name: String, _ program: String, _ arguments: [String],
        bytes: @escaping @Sendable (String) -> Int?
    ) -> Contender {
        Contender(name: name, program: program, arguments: arguments) { output in
            bytes(output) == SecureOrigin.downloadBytes ? (1, 0) : nil
        }
    }
}
