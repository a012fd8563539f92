// `bench http URL`: a load test of any HTTP/1.1 server. Main thread.

import ArgumentParser
import HTTPTypes

/// A load test of one URL.
struct HTTPCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "http",
        abstract: "Load-tests a server.",
        discussion: """
            A closed loop by default: each connection's next request starts when the last has \
            ended. With --rate an open loop: requests fall due at fixed intervals, latency counts \
            from when one was due, and `late` says how many started more than a millisecond later. \
            Redirects are not followed; caching and coalescing are off, so every request is sent.
            """)

    @Argument(help: "http://HOST:PORT/PATH or https://…") var url: String
    @Option(name: [.short, .long], help: "Connections, and requests in flight at once.")
    var connections = 64
    @Option(name: [.customShort("n"), .long], help: "Requests in all.") var requests: Int?
    @Option(name: [.short, .long], help: "Seconds; 10 where --requests isn't given.")
    var duration: Double?
    @Option(help: "Requests per second, in an open loop.") var rate: Double?
    @Option(help: "The request's method.") var method = "GET"
    @Option(name: [.customShort("H"), .long], help: "A field, \"Name: value\"; may be repeated.")
    var header: [String] = []
    @Option(help: "The request's content.") var body: String?
    @Option(help: "Seconds until a request fails, waiting included.") var timeout: Double?
    @Option(help: "A PEM file of authorities to trust, in place of the machine's.")
    var cacert: String?
    @Flag(help: "A full TLS handshake for every connection.") var noResumption = false
    @Flag(help: "Use the callback API.") var callback = false
    @Flag(help: "Use the callback API on a reactor inside a poll(2) loop.") var embedded = false
    @Flag(help: "Read bodies as streams: no bound on their size.") var stream = false
    @Flag(help: "JSON on standard output.") var json = false
    @Flag(help: .hidden) var lines = false

    func validate() throws {
        guard connections > 0 else { throw ValidationError("--connections is positive") }
        guard requests ?? 1 > 0 else { throw ValidationError("--requests is positive") }
        guard duration ?? 1 > 0, duration ?? 1 <= 1e6 else {
            throw ValidationError("--duration is positive")
        }
        guard rate ?? 1 > 0 else { throw ValidationError("--rate is positive") }
        guard timeout ?? 1 > 0, timeout ?? 1 <= 1e6 else {
            throw ValidationError("--timeout is positive")
        }
        guard [callback, stream, embedded].count(where: { $0 }) < 2 else {
            throw ValidationError("--stream, --callback and --embedded exclude each other")
        }
        guard HTTPRequest.Method(method) != nil else {
            throw ValidationError("--method \"\(method)\" is no token")
        }
        for field in header where !field.contains(":") {
            throw ValidationError("--header \"\(field)\" has no colon")
        }
    }

    func run() throws {
        let progress = Progress.begin()
        let limit = raiseDescriptorLimit(to: UInt(max(connections + 1_024, 65_536)))
        guard limit >= UInt(connections) + 16 else {
            throw ValidationError(
                "only \(limit) descriptors are allowed for \(connections) connections")
        }
        if !lines { progress.say("caching and coalescing are off: every request is sent") }
        let report = try LoadTest(plan: plan, label: url, progress: progress).run()
        progress.clear()
        if lines {
            print(report.lines)
        } else {
            print(json ? report.json : Table.of([(url, report)]).text + summary(report))
        }
        if Interruption.isRequested { throw ExitCode(130) }
        if report.errors > 0 { throw ExitCode(1) }
    }

    private var plan: LoadPlan {
        var plan = LoadPlan(target: .url(url), amount: amount)
        plan.face = embedded ? .embedded : callback ? .callback : stream ? .stream : .async
        plan.connections = connections
        plan.rate = rate
        plan.method = method
        plan.headers = header.map { field in
            let name = field.prefix { $0 != ":" }
            return (String(name), String(field.dropFirst(name.count + 1).drop { $0 == " " }))
        }
        plan.body = body.map { Array($0.utf8) }
        plan.timeout = timeout
        plan.authority = cacert
        plan.resumesSessions = !noResumption
        return plan
    }

    private var amount: Amount {
        let seconds = duration ?? (requests == nil ? 10 : nil)
        return Amount(requests: requests, nanoseconds: seconds.map { UInt64($0 * 1e9) })
    }

    private func summary(_ report: Report) -> String {
        var lines = [
            "", "",
            "\(grouped(report.connectionsOpened)) connections opened, "
                + "\(grouped(report.bytes)) bytes of content, "
                + "longest request \(grouped(Int(report.latency.max))) µs",
        ]
        let statuses = report.statuses.sorted { $0.key < $1.key }
        lines += statuses.map { "status \($0.key): \(grouped($0.value))" }
        let codes = report.errorsByCode.sorted { $0.key < $1.key }
        lines += codes.map { "error \($0.key): \(grouped($0.value))" }
        if rate != nil { lines.append("late: \(grouped(report.late))") }
        return lines.joined(separator: "\n")
    }
}
