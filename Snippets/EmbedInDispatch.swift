// A host on libdispatch: a source on the reactor's one descriptor gives it a turn when it is
// readable. Everything of the reactor runs on the source's queue, here the main one.
import Dispatch
import Fetch
import Glibc

// snippet.show
/// Fetches one URL many times, ten at a time.
@MainActor final class Host {
    private let reactor: Reactor
    private let fetcher: LocalFetcher
    private let source: any DispatchSourceRead
    private let url: String
    private let count: Int
    private var begun = 0
    private var ended = 0
    private var failed = 0

    init(_ url: String, count: Int) throws {
        reactor = try Reactor.embedded()
        fetcher = try LocalFetcher(on: reactor)
        source = DispatchSource.makeReadSource(
            fileDescriptor: reactor.fileDescriptor, queue: .main)
        self.url = url
        self.count = count
    }

    func run() -> Never {
        source.setEventHandler { [reactor] in reactor.turn() }
        source.resume()
        // On the queue, like everything else: dispatchMain() takes it off the main thread.
        DispatchQueue.main.async {
            MainActor.assumeIsolated {
                for _ in 0..<10 { self.beginNext() }
            }
        }
        dispatchMain()
    }

    private func beginNext() {
        guard begun < count else { return }
        begun += 1
        // Each asks for something else: who asks the same at the same time shares one answer.
        fetcher.get("\(url)?number=\(begun)") { result in
            MainActor.assumeIsolated { self.fetched(result) }
        }
    }

    private func fetched(_ result: Result<Response, any Error>) {
        ended += 1
        if case .failure = result { failed += 1 }
        beginNext()
        guard ended == count else { return }
        print("\(ended) ended, \(failed) failed")
        exit(failed == 0 ? 0 : 1)
    }
}
// snippet.hide

let url = CommandLine.arguments.dropFirst().first ?? "http://127.0.0.1:8080/"
let count = CommandLine.arguments.dropFirst(2).first.flatMap { Int($0) } ?? 1_000
try Host(url, count: count).run()
