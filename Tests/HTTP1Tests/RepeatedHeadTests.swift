// A parser remembers the last head. Whoever looks from outside must not be able to tell.

import FetchHTTP1
import Testing

struct RepeatedHeadTests {
    /// A parser that has read one response and awaits the next.
    private func reader(
        of wire: String, isHead: Bool = false, nextIsHead: Bool = false
    ) -> Feeder {
        var feeder = Feeder(isHead: isHead)
        feeder.feed(latin1(wire)[...])
        feeder.beginNext(isHead: nextIsHead)
        return feeder
    }

    private let usual =
        "HTTP/1.1 200 OK\r\nServer: s\r\nDate: Sat, 21 Nov 2026 09:16:51 GMT\r\n"
        + "Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"

    @Test(arguments: accepted)
    func `a response that comes again means the same again`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        let first = whole(bytes, isHead: row.isHead)
        var feeder = reader(of: row.wire, isHead: row.isHead, nextIsHead: row.isHead)
        for _ in 0..<3 {
            feeder.feed(bytes[...])
            #expect(feeder.outcome == first)
            feeder.beginNext(isHead: row.isHead)
        }
    }

    @Test(arguments: accepted)
    func `cut at any place it means the same again`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        let first = whole(bytes, isHead: row.isHead)
        let step = max(1, bytes.count / 50)
        for place in stride(from: 0, to: bytes.count, by: step) {
            var feeder = reader(of: row.wire, isHead: row.isHead, nextIsHead: row.isHead)
            feeder.feed(bytes[..<place])
            feeder.feed(bytes[place...])
            if feeder.outcome != first { #expect(feeder.outcome == first, "cut at \(place)") }
        }
    }

    @Test func `one other byte in a head means what it means to a new parser`() {
        let bytes = latin1(usual + "hello")
        let others: [UInt8] = [0, 0x09, 0x0a, 0x0d, 0x20, 0x30, 0x3a, 0x58, 0x7f, 0xe9]
        for place in bytes.indices {
            for other in others {
                var changed = bytes
                changed[place] = other
                var feeder = reader(of: usual + "hello")
                feeder.feed(changed[...])
                let expected = whole(changed)
                if feeder.outcome != expected {
                    #expect(feeder.outcome == expected, "\(other) at \(place)")
                }
            }
        }
    }

    @Test(arguments: rejected)
    func `a rejected response is rejected behind any other`(_ row: Rejected) {
        var feeder = reader(of: usual + "hello")
        feeder.feed(latin1(row.wire)[...])
        #expect(feeder.outcome.error == whole(latin1(row.wire)).error)
    }

    @Test func `the same head has its own body each time`() {
        var feeder = reader(of: usual + "hello")
        for body in ["world", "again", "\r\n\r\n\r"] {
            feeder.feed(latin1(usual + body)[...])
            #expect(feeder.outcome.body == latin1(body))
            #expect(feeder.outcome.isEnded)
            feeder.beginNext()
        }
    }

    @Test func `a body that comes later than the same head is read in steps`() {
        var feeder = reader(of: usual + "hello")
        feeder.feed(latin1(usual + "wo")[...])
        #expect(!feeder.outcome.isEnded)
        feeder.feed(latin1("rld")[...])
        #expect(feeder.outcome == whole(latin1(usual + "world")))
    }

    @Test func `the same head answers GET with a body and HEAD without`() {
        var feeder = reader(of: usual + "hello", nextIsHead: true)
        feeder.feed(latin1(usual)[...])
        #expect(feeder.outcome == whole(latin1(usual), isHead: true))
        feeder.beginNext(isHead: true)
        feeder.feed(latin1(usual)[...])
        #expect(feeder.outcome == whole(latin1(usual), isHead: true))
        feeder.beginNext()
        feeder.feed(latin1(usual + "hello")[...])
        #expect(feeder.outcome == whole(latin1(usual + "hello")))
    }

    @Test func `heads that change again and again mean their own`() {
        var feeder = Feeder()
        for number in 0..<300 {
            let date = "\(number / 3)"
            let wire =
                "HTTP/1.1 200 OK\r\nDate: \(date)\r\nContent-Length: \(number % 7)\r\n\r\n"
                + String(repeating: "x", count: number % 7)
            feeder.feed(latin1(wire)[...])
            if feeder.outcome != whole(latin1(wire)) {
                #expect(feeder.outcome == whole(latin1(wire)), "\(number)")
            }
            feeder.beginNext()
        }
    }
}
