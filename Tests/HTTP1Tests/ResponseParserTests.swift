// Every accepted response in every cut, every rejected one in several; limits; ends.

import FetchBytes
import FetchHTTP
import FetchHTTP1
import Testing

struct ResponseParserTests {
    private func check(_ outcome: Outcome, _ row: Accepted, left: Int = 0) {
        #expect(outcome.error == nil)
        #expect(outcome.isEnded)
        #expect(outcome.status == row.status)
        #expect(outcome.reason == row.reason)
        if let fields = row.fields { #expect(outcome.fields == fields) }
        #expect(outcome.body == latin1(row.body))
        #expect(outcome.framing == row.framing)
        #expect(outcome.closeReason == row.close)
        #expect(outcome.trailers == row.trailers)
        #expect(outcome.interims == row.interims)
        #expect(outcome.timeout == row.timeout)
        #expect(outcome.left == left)
    }

    @Test(arguments: accepted)
    func `an accepted response means what its row says`(_ row: Accepted) {
        check(whole(latin1(row.wire), isHead: row.isHead), row)
    }

    @Test(arguments: accepted)
    func `fed byte by byte it means the same`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        check(cut(bytes, at: 1..<bytes.count, isHead: row.isHead), row)
    }

    @Test(arguments: accepted)
    func `cut at any place it means the same`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        let expected = whole(bytes, isHead: row.isHead)
        let step = max(1, bytes.count / 500)
        for place in stride(from: 1, to: bytes.count, by: step) {
            let outcome = cut(bytes, at: [place], isHead: row.isHead)
            if outcome != expected { #expect(outcome == expected, "cut at \(place)") }
        }
    }

    @Test(arguments: accepted)
    func `a part of it is not yet a response and never an error`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        let step = max(1, bytes.count / 500)
        for count in stride(from: 0, to: bytes.count, by: step) {
            let part = whole(Array(bytes.prefix(count)), isHead: row.isHead)
            if part.isEnded || part.error != nil { #expect(part == Outcome(), "\(count) bytes") }
            let ended = whole(Array(bytes.prefix(count)), isHead: row.isHead, ends: true)
            let expected: MessageError =
                count == 0
                ? .closedBeforeResponse
                : part.status == nil ? .truncatedHead : .truncatedBody
            if ended.error != expected { #expect(ended.error == expected, "\(count) bytes") }
        }
    }

    @Test(arguments: accepted)
    func `bytes behind it are left alone`(_ row: Accepted) {
        for behind in ["HTTP/1.1 200 OK\r\n", "\r\n", "x", "\u{0}", "0\r\n\r\n"] {
            let bytes = latin1(row.wire + behind)
            check(whole(bytes, isHead: row.isHead), row, left: behind.utf8.count)
        }
    }

    @Test(arguments: acceptedUntilClose)
    func `a body without a length ends with the connection`(_ row: Accepted) {
        let bytes = latin1(row.wire)
        check(whole(bytes, ends: true), row)
        check(cut(bytes, at: 1..<bytes.count, ends: true), row)
        #expect(!whole(bytes).isEnded)
    }

    @Test(arguments: rejected)
    func `a rejected response says why, however it is cut`(_ row: Rejected) {
        let bytes = latin1(row.wire)
        #expect(whole(bytes).error == row.error)
        #expect(cut(bytes, at: 1..<bytes.count).error == row.error)
        for place in 1..<bytes.count {
            let error = cut(bytes, at: [place]).error
            if error != row.error { #expect(error == row.error, "cut at \(place)") }
        }
    }

    @Test(arguments: rejected)
    func `a rejected response does not wait for more before it fails`(_ row: Rejected) {
        // The error is there with the bytes of the row; no end of input is needed to see it.
        let outcome = whole(latin1(row.wire))
        #expect(!outcome.isEnded)
        #expect(outcome.error != .truncatedHead && outcome.error != .truncatedBody)
    }

    @Test func `there are several hundred rows`() {
        #expect(accepted.count + acceptedUntilClose.count + rejected.count > 390)
    }

    @Test func `responses follow each other on one connection`() throws {
        var parser = ResponseParser()
        var bytes = latin1(
            "HTTP/1.1 200 A\r\nContent-Length: 2\r\n\r\nhi"
                + "HTTP/1.1 204 B\r\n\r\n"
                + "HTTP/1.1 200 C\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nT: u\r\n\r\n"
                + "HTTP/1.1 200 D\r\nContent-Length: 9\r\n\r\n")
        var seen: [String] = []
        for isHead in [false, false, false, true] {
            parser.begin(isHead: isHead)
            while parser.isInsideResponse || !bytes.isEmpty {
                let (step, consumed) = try parser.parse(bytes.span)
                var isOver = false
                switch step {
                case .complete(let head, let body):
                    seen.append("\(head.reason) \(body.count)")
                    isOver = true
                case .head(let head): seen.append(head.reason)
                case .body(let range): seen.append("\(range.count)")
                case .end(let trailers):
                    seen.append(trailers?["t"] ?? "-")
                    isOver = true
                case .informational, .needMore: Issue.record("unexpected step")
                }
                bytes.removeFirst(consumed)
                if isOver { break }
            }
        }
        #expect(seen == ["A 2", "B 0", "C", "1", "u", "D 0"])
        #expect(bytes.isEmpty)
        #expect(!parser.isInsideResponse)
    }

    @Test func `a response that was not awaited is not read`() throws {
        var parser = ResponseParser()
        let bytes = latin1("HTTP/1.1 200 OK\r\n\r\n")
        let (step, consumed) = try parser.parse(bytes.span)
        guard case .needMore = step else { return #expect(Bool(false)) }
        #expect(consumed == 0)
    }

    @Test func `a short body shares the storage of its head`() throws {
        var parser = ResponseParser()
        parser.begin(isHead: false)
        let bytes = latin1("HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi")
        guard case .complete(let head, let body) = try parser.parse(bytes.span).step else {
            return #expect(Bool(false))
        }
        #expect(String(body) == "hi")
        #expect(head.fields["a"] == "b")
        #expect(Array(head.receivedBytes) == Array(bytes.dropLast(2)))
        #expect(head.reasonBytes == Bytes("OK"))
        #expect(head.description == "HTTP/1.1 200 OK\nA: b\nContent-Length: 2")
    }

    @Test func `the keep-alive hint is read whole`() {
        var parser = ResponseParser()
        parser.begin(isHead: true)
        let bytes = latin1("HTTP/1.1 200 OK\r\nKeep-Alive: timeout=5, max=9\r\n\r\n")
        guard case .complete(let head, _) = try? parser.parse(bytes.span).step else {
            return #expect(Bool(false))
        }
        #expect(head.keepAliveTimeoutSeconds == 5)
        #expect(head.keepAliveMax == 9)
    }

    @Test(arguments: [
        ("Content-Length: 5\r\n\r\n", 5, ""), ("\r\n", Int.max, ""),
        ("Transfer-Encoding: chunked\r\n\r\n5\r\n", 5, "\r\n0\r\n\r\n"),
    ])
    func `body bytes may go past the parser`(head: String, ahead: Int, rest: String) throws {
        var parser = ResponseParser()
        #expect(parser.bodyBytesAhead == 0)
        parser.begin(isHead: false)
        let bytes = latin1("HTTP/1.1 200 OK\r\n" + head)
        let (_, consumed) = try parser.parse(bytes.span)
        if consumed < bytes.count { _ = try parser.parse(bytes.span.extracting(consumed...)) }
        #expect(parser.bodyBytesAhead == ahead)
        parser.bodyBytesPassed(2)
        parser.bodyBytesPassed(3)
        #expect(parser.bodyBytesAhead == (ahead == .max ? .max : 0))
        let step =
            ahead == .max ? try parser.endOfInput() : try parser.parse(latin1(rest).span).step
        guard case .end(nil) = step else { return #expect(Bool(false)) }
        #expect(!parser.isInsideResponse)
    }
}
