// A host with a poll(2) loop of its own: it waits for one descriptor and gives the reactor a turn
// when that is readable. No thread, no task, no Swift concurrency.
import Fetch
import Glibc

// snippet.show
/// Fetches one URL many times, ten at a time.
final class Host {
    private let reactor: Reactor
    private let fetcher: LocalFetcher
    private let url: String
    private let count: Int
    private var begun = 0
    private(set) var ended = 0
    private(set) var failed = 0

    init(_ url: String, count: Int) throws {
        reactor = try Reactor.embedded()
        fetcher = try LocalFetcher(on: reactor)
        self.url = url
        self.count = count
    }

    func run() {
        for _ in 0..<10 { beginNext() }
        while ended < count {
            // The host's own descriptors would stand in this array too.
            var watched = [pollfd(fd: reactor.fileDescriptor, events: Int16(POLLIN), revents: 0)]
            let ready = poll(&watched, nfds_t(watched.count), -1)
            guard ready > 0 || errno == EINTR else { break }
            reactor.turn()
        }
    }

    private func beginNext() {
        guard begun < count else { return }
        begun += 1
        // Each asks for something else: who asks the same at the same time shares one answer.
        fetcher.get("\(url)?number=\(begun)") { [self] result in
            ended += 1
            if case .failure = result { failed += 1 }
            beginNext()
        }
    }
}
// snippet.hide

/// The number of this process's threads, from /proc.
func threadCount() -> Int {
    let descriptor = open("/proc/self/status", O_RDONLY)
    defer { close(descriptor) }
    var text = [UInt8](repeating: 0, count: 8_192)
    let count = read(descriptor, &text, text.count)
    for line in String(decoding: text.prefix(max(0, count)), as: UTF8.self).split(separator: "\n")
    where line.hasPrefix("Threads:") {
        return Int(line.dropFirst(8).drop { $0 < "0" }) ?? 0
    }
    return 0
}

let url = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080/"
let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1_000
let host = try Host(url, count: count)
host.run()
print("\(host.ended) ended, \(host.failed) failed, Threads: \(threadCount())")
exit(host.failed == 0 && host.ended == count ? 0 : 1)
