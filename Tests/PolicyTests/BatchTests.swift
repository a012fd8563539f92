// Batches: CORE-10 to CORE-13, LB-03, MET-08. Pure.

import FetchPolicy
import FetchTime
import Testing

struct BatchWindowTests {
    @Test func `CORE-13 what is under way or not yet taken is never more than the concurrency`() {
        var random = Sequence64(9)
        var window = BatchWindow(concurrency: 10)
        var remaining = 5_000
        var most = 0
        while !window.isDone {
            switch random.pick(0...2) {
            case 0:
                guard window.startNext() != nil else { break }
                remaining -= 1
                if remaining < 0 { window.close(unstarted: true) }
            case 1: if window.inFlight > 0 { window.finished() }
            default: if window.waitingToBeTaken > 0 { window.tookOne() }
            }
            most = max(most, window.inFlight + window.waitingToBeTaken)
        }
        #expect(most == 10)
        #expect(window.taken == 5_000)
        #expect(window.started == 5_000)
    }

    @Test func `items are numbered in order, and none starts behind a slow consumer`() {
        var window = BatchWindow(concurrency: 2)
        #expect(window.startNext() == 0)
        #expect(window.startNext() == 1)
        #expect(window.startNext() == nil)
        window.finished()
        #expect(window.startNext() == nil)
        window.tookOne()
        #expect(window.startNext() == 2)
        window.close()
        window.finished()
        window.finished()
        window.tookOne()
        #expect(window.startNext() == nil)
        #expect(!window.isDone)
        window.tookOne()
        #expect(window.isDone)
    }

    @Test func `an empty batch is done at once`() {
        var window = BatchWindow(concurrency: 0)
        #expect(window.concurrency == 1)
        window.close()
        #expect(window.isDone)
    }

    @Test func `CORE-10 results come out in the order of the items`() {
        var random = Sequence64(10)
        var results = OrderedResults<String>(count: 100)
        for index in Array(0..<100).shuffled(using: &random) {
            #expect(!results.isComplete)
            #expect(results.put("\(index)", at: index) == true)
            #expect(results.put("again", at: index) == false)
        }
        #expect(results.put("beyond", at: 100) == false)
        #expect(results.isComplete)
        #expect(results.inOrder() == (0..<100).map(String.init))
        #expect(OrderedResults<Int>(count: 1).inOrder() == nil)
        #expect(OrderedResults<Int>(count: 0).inOrder() == [])
    }
}

struct BatchReportTests {
    @Test func `MET-08 the report of a scripted batch is what the hand computes`() {
        var counts = BatchCounts(total: 102, now: .at(10))
        for millisecond in (1...100 as ClosedRange<Int64>).reversed() {
            counts.itemSucceeded(nanoseconds: millisecond * 1_000_000)
            counts.requestSent(reused: millisecond > 4)
        }
        counts.itemFailed()
        counts.itemFailed()
        for asked in 0..<10 { counts.nameAsked(wasKnown: asked > 0) }
        let report = counts.report(now: .at(14))
        #expect(report.succeeded == 100)
        #expect(report.failed == 2)
        #expect(report.successRate == 100.0 / 102)
        #expect(report.rate == 25.5)
        #expect(report.elapsed == .seconds(4))
        #expect(report.p50 == .milliseconds(50))
        #expect(report.p99 == .milliseconds(99))
        #expect(report.reuseRatio == 0.96)
        #expect(report.dnsHitRatio == 0.9)
    }

    @Test func `an empty batch has nothing to report, and did not fail`() {
        let report = BatchCounts(total: 0, now: .at(1)).report(now: .at(1))
        #expect(report.successRate == 1)
        #expect(report.rate == 0)
        #expect(report.p50 == nil && report.p99 == nil)
        #expect(report.reuseRatio == nil && report.dnsHitRatio == nil)
    }

    @Test func `a long batch rounds its percentiles up to an eighth at most`() {
        var counts = BatchCounts(total: nil, now: .at(0))
        for item in 0..<10_000 {
            counts.itemSucceeded(nanoseconds: Int64(item % 100 + 1) * 1_000_000)
        }
        let report = counts.report(now: .at(10))
        #expect(report.p50 ?? .zero >= .milliseconds(50))
        #expect(report.p50 ?? .zero <= .milliseconds(57))
        #expect(report.p99 ?? .zero >= .milliseconds(99))
        #expect(report.p99 ?? .zero <= .milliseconds(112))
    }

    @Test func `progress tells what is done, how fast, and how long it will take`() {
        var counts = BatchCounts(total: 100, now: .at(0))
        #expect(counts.progress(inFlight: 0, now: .at(0)).timeLeft == nil)
        for _ in 0..<19 { counts.itemSucceeded(nanoseconds: 1) }
        counts.itemFailed()
        let progress = counts.progress(inFlight: 7, now: .at(10))
        #expect(progress.done == 20)
        #expect(progress.inFlight == 7)
        #expect(progress.rate == 2)
        #expect(progress.timeLeft == .seconds(40))
        #expect(
            BatchCounts(total: nil, now: .at(0)).progress(inFlight: 1, now: .at(9)).timeLeft == nil)
    }
}

struct BatcherTests {
    @Test func `LB-03 two hundred and fifty items are three batches`() {
        var batcher = Batcher<Int>(maxSize: 100, linger: .milliseconds(5))
        var batches: [[Int]] = []
        var deadline: Instant?
        for item in 0..<250 {
            switch batcher.add(item, now: .at(0)) {
            case .wait: break
            case .waitUntil(let time): deadline = time
            case .flush(let batch): batches.append(batch)
            }
        }
        #expect(batches.map(\.count) == [100, 100])
        #expect(deadline == .at(0.005))
        #expect(batcher.takeLingered(now: .at(0.004)).isEmpty)
        batches.append(batcher.takeLingered(now: .at(0.005)))
        #expect(batches.flatMap { $0 } == Array(0..<250))
        #expect(batcher.takeLingered(now: .at(1)).isEmpty)
        #expect(batcher.count == 0)
    }

    @Test func `a batch of one goes at once`() {
        var batcher = Batcher<Int>(maxSize: 0, linger: .seconds(1))
        #expect(batcher.add(1, now: .at(0)) == .flush([1]))
    }

    @Test func `the time of a batch that has gone is not the next one's`() {
        var batcher = Batcher<Int>(maxSize: 2, linger: .seconds(1))
        #expect(batcher.add(1, now: .at(0)) == .waitUntil(.at(1)))
        #expect(batcher.add(2, now: .at(0.9)) == .flush([1, 2]))
        #expect(batcher.add(3, now: .at(0.95)) == .waitUntil(.at(1.95)))
        #expect(batcher.takeLingered(now: .at(1)).isEmpty)
    }
}
