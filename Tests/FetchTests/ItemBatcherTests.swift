// Items of many callers in one call (LB-03), on virtual time.

import Fetch
import Synchronization
import TestSupport
import Testing

private struct Refused: Error {}

struct ItemBatcherTests {
    /// What was sent, batch by batch.
    private final class Upstream: Sendable {
        let batches = Mutex<[[Int]]>([])

        func send(_ items: [Int]) -> [String] {
            batches.withLock { $0.append(items) }
            return items.map { "\($0)!" }
        }

        var sent: [[Int]] { batches.withLock { $0 } }
    }

    @Test func `LB-03 250 items make three calls, and each caller gets its own result`()
        async throws
    {
        let upstream = Upstream()
        let (outputs, elapsed) = try await onReactor(virtual: true) { reactor in
            let batcher = ItemBatcher(maxSize: 100, linger: .milliseconds(5), on: reactor) {
                upstream.send($0)
            }
            let start = reactor.clock.now
            let outputs = try await withThrowingTaskGroup(of: (Int, String).self) { group in
                for item in 0..<250 {
                    group.addTask { (item, try await batcher.submit(item)) }
                }
                var outputs: [Int: String] = [:]
                for try await (item, output) in group { outputs[item] = output }
                return outputs
            }
            return (outputs, start.duration(to: reactor.clock.now))
        }
        #expect(upstream.sent.map(\.count) == [100, 100, 50])
        #expect(upstream.sent.flatMap { $0 } == Array(0..<250))
        #expect(outputs.count == 250 && outputs.allSatisfy { $0.value == "\($0.key)!" })
        // The last one waits for more, and no longer than it may.
        #expect(elapsed >= .milliseconds(5) && elapsed <= .milliseconds(6))
    }

    @Test func `a failure is everybody's, and so is a wrong number of outputs`() async throws {
        try await onReactor(virtual: true) { reactor in
            for (outputs, code) in [(nil, nil), ([1], .invalidRequest)]
                as [([Int]?, FetchError.Code?)]
            {
                let batcher = ItemBatcher(maxSize: 2, linger: .seconds(1), on: reactor) {
                    (_: [Int]) in
                    guard let outputs else { throw Refused() }
                    return outputs
                }
                let errors = await withTaskGroup(of: (any Error)?.self) { group in
                    for item in 0..<2 {
                        group.addTask {
                            do { _ = try await batcher.submit(item) } catch { return error }
                            return nil
                        }
                    }
                    return await group.reduce(into: []) { $0.append($1) }
                }
                #expect(errors.count == 2)
                for error in errors {
                    #expect((error as? FetchError)?.code == code)
                    #expect((error is Refused) == (code == nil))
                }
            }
        }
    }

    @Test func `a cancelled caller leaves, and a cancelled sender hands over`() async throws {
        let upstream = Upstream()
        let outcomes = try await onReactor(virtual: true) { reactor in
            let isFirst = Mutex(true)
            let batcher = ItemBatcher(maxSize: 4, linger: .seconds(1), on: reactor) { items in
                let outputs = upstream.send(items)
                if isFirst.withLock({ isFirst in
                    defer { isFirst = false }
                    return isFirst
                }) {
                    try await reactor.clock.sleep(for: .seconds(600))
                }
                return outputs
            }
            return await withTaskGroup(of: (Int, String?).self) { group in
                for item in 0..<3 {
                    group.addTask {
                        await withTaskGroup(of: String?.self) { inner in
                            inner.addTask { try? await batcher.submit(item) }
                            // 1 leaves while it waits, 0 while it sends.
                            let patience: [Int: Duration] = [0: .seconds(5), 1: .milliseconds(10)]
                            if let patience = patience[item] {
                                try? await reactor.clock.sleep(for: patience)
                                inner.cancelAll()
                            }
                            return (item, await inner.next() ?? nil)
                        }
                    }
                }
                var outcomes: [String?] = [nil, nil, nil]
                for await (item, output) in group { outcomes[item] = output }
                return outcomes
            }
        }
        #expect(outcomes == [nil, nil, "2!"])
        #expect(upstream.sent == [[0, 2], [2]])
    }

    @Test func `callers on other threads meet in one batch`() async throws {
        let fetcher = try Fetcher()
        let upstream = Upstream()
        let batcher = fetcher.batcher(maxSize: 8, linger: .seconds(60)) { upstream.send($0) }
        let outputs = try await withThrowingTaskGroup(of: String.self) { group in
            for item in 0..<4_096 { group.addTask { try await batcher.submit(item) } }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(outputs.count == 4_096)
        #expect(upstream.sent.map(\.count) == [Int](repeating: 8, count: 512))
        await fetcher.shutdown()
    }
}
