// The command line of `fetch`. Decides; runs nothing.
//
// What is not built yet is refused by name: an option that is silently ignored would lie.

internal import ArgumentParser

struct Arguments: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch",
        abstract: "Fetches a URL, many URLs, or requests that come as lines of JSON.",
        discussion: """
            fetch URL prints the response's body. Its exit status is 0 when a response arrived \
            whole, 22 with --fail when its status is 400 or above, and 1 when it failed.

            fetch --jsonl reads one request a line from standard input and writes one result a \
            line as each completes; docs/jsonl.md describes both. Its exit status is 0, or 1 when \
            the output could not be written.

            fetch --input FILE fetches the URL on each line and writes one result a line, as \
            --jsonl does, but with no bodies; --output keeps those as files. Its exit status is 0 \
            when every URL has a response, 22 with --fail when one's status is 400 or above, and 1 \
            when one has none.

            Wrong options end with 2.
            """)

    @Argument(help: "What to fetch.")
    var url: String?

    @Flag(help: "Read requests from standard input, write results to standard output.")
    var jsonl = false

    @Option(
        help: ArgumentHelp(
            "Fetch the URL on each line of this file; - is standard input.", valueName: "file"))
    var input: String?

    @Option(
        help: ArgumentHelp(
            "With --input: keep each body in this folder, in a file named by its line's number.",
            valueName: "folder"))
    var output: String?

    @Option(help: "With --jsonl or --input: most requests that run at once.")
    var concurrency: Int?

    @Option(name: [.customShort("X"), .long], help: "The request's method (default: GET).")
    var method: String?

    @Option(
        name: [.customShort("H"), .long],
        help: ArgumentHelp("A field of the request; may be repeated.", valueName: "name: value"))
    var header: [String] = []

    @Option(name: [.short, .long], help: "The request's body; the method becomes POST.")
    var data: String?

    @Flag(name: [.short, .long], help: "End with 22 when the status is 400 or above.")
    var fail = false

    @Option(help: "Most seconds for a request; with a URL, to its response's head.")
    var timeout: Double?

    @OptionGroup(title: "Names and trust")
    var network: NetworkArguments

    @OptionGroup(title: "Retries and rates")
    var policies: PolicyArguments

    @OptionGroup(title: "Stored responses")
    var cache: CacheArguments

    @Flag(name: .customLong("no-decompress"), help: "Leave bodies as they are; they are, for now.")
    var noDecompress = false

    /// The command line, or what is wrong with it. An option that is not known is named before
    /// anything is said of those that are: its value may stand where a URL would.
    static func read() throws -> Arguments {
        let arguments = try parse()
        try arguments.check()
        return arguments
    }

    private func check() throws {
        guard [jsonl, url != nil, input != nil].filter({ $0 }).count == 1 else {
            throw ValidationError("Give either a URL or --jsonl or --input.")
        }
        for (option, isGiven) in meaningless where isGiven {
            let what = jsonl ? "with --jsonl" : input != nil ? "with --input" : "with a URL"
            throw ValidationError("\(option) has no meaning \(what).")
        }
        if let concurrency, !(1...10_000).contains(concurrency) {
            throw ValidationError("--concurrency takes 1 to 10000.")
        }
        if let timeout, !(timeout > 0) { throw ValidationError("--timeout must be above 0.") }
        for line in header where Self.field(of: line) == nil {
            throw ValidationError("--header '\(line)' is not 'name: value'.")
        }
    }

    /// Options that say nothing about what is asked for, and whether they are given.
    private var meaningless: [(String, Bool)] {
        let ofRequests = [
            ("--method", method != nil), ("--header", !header.isEmpty), ("--data", data != nil),
        ]
        if jsonl { return ofRequests + [("--fail", fail), ("--output", output != nil)] }
        if input != nil { return ofRequests }
        return [("--concurrency", concurrency != nil), ("--output", output != nil)]
    }

    /// The total clock, where one was given; some 68 years are as good as for ever.
    var total: Duration? {
        timeout.map { .microseconds(max(1, Int64(min($0, 2_147_483_648) * 1_000_000))) }
    }

    /// The fields, in the order given.
    var fields: [(name: String, value: String)] { header.compactMap(Self.field) }

    private static func field(of line: String) -> (name: String, value: String)? {
        guard let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex
        else { return nil }
        let value = line[line.utf8.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return (String(line[..<colon]), String(value))
    }
}
