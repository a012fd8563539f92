// Each limit is met exactly, and passed by one byte, whole and byte by byte.

import FetchHTTP1
import Testing

struct ParserLimitsTests {
    private let line = "HTTP/1.1 200 OK\r\n"
    private let zero = "Content-Length: 0\r\n\r\n"

    /// What comes of a response under limits; the same however it is fed.
    private func error(
        _ wire: String, _ change: (inout ParserLimits) -> Void, stride step: Int = 1
    ) -> MessageError? {
        var limits = ParserLimits()
        change(&limits)
        let bytes = latin1(wire)
        let error = whole(bytes, limits: limits).error
        let places = stride(from: 1, to: bytes.count, by: step)
        #expect(cut(bytes, at: places, limits: limits).error == error)
        return error
    }

    @Test func `the defaults are the documented ones`() {
        let limits = ParserLimits()
        #expect(limits.headBytes == 65_536)
        #expect(limits.fields == 256)
        #expect(limits.startLineBytes == 16_384)
        #expect(limits.trailerBytes == 16_384)
        #expect(limits.interimResponses == 16)
        #expect(limits.chunkLineBytes == 4_096)
        #expect(limits.inlineBodyBytes == 16_384)
    }

    @Test func `a head may have so many bytes`() {
        let wire = line + "A: bcd\r\n" + zero
        let count = wire.utf8.count
        #expect(error(wire) { $0.headBytes = count } == nil)
        #expect(error(wire) { $0.headBytes = count - 1 } == .headTooLarge)
        #expect(error(wire) { $0.headBytes = 20 } == .headTooLarge)
    }

    @Test func `an endless head fails as soon as it is too large`() {
        let name = line + String(repeating: "a", count: 70_000)
        #expect(error(name, { _ in }, stride: 997) == .headTooLarge)
        let value = line + "a: " + String(repeating: "b", count: 70_000)
        #expect(error(value, { _ in }, stride: 997) == .headTooLarge)
        let reason = "HTTP/1.1 200 " + String(repeating: "b", count: 70_000)
        #expect(error(reason, { _ in }, stride: 997) == .startLineTooLong)
    }

    @Test func `a status line may have so many bytes`() {
        let wire = line + zero
        #expect(error(wire) { $0.startLineBytes = line.utf8.count } == nil)
        #expect(error(wire) { $0.startLineBytes = line.utf8.count - 1 } == .startLineTooLong)
        #expect(error("HTTP/1.1 204 \r\n\r\n") { $0.startLineBytes = 15 } == nil)
        #expect(error("HTTP/1.1 204 \r\n\r\n") { $0.startLineBytes = 14 } == .startLineTooLong)
    }

    @Test func `a head may have so many fields`() {
        let wire = line + "A: b\r\n" + zero
        #expect(error(wire) { $0.fields = 2 } == nil)
        #expect(error(wire) { $0.fields = 1 } == .tooManyFields)
        let many = line + String(repeating: "A: b\r\n", count: 256) + zero
        #expect(error(many) { _ in } == .tooManyFields)
    }

    @Test func `many fields keep their order`() {
        let lines = (0..<200).map { "F\($0): v\($0)" }
        let wire = line + lines.map { $0 + "\r\n" }.joined() + zero
        let outcome = whole(latin1(wire))
        #expect(outcome.fields == lines + ["Content-Length: 0"])
    }

    @Test func `trailers have limits of their own`() {
        let head = line + "Transfer-Encoding: chunked\r\n\r\n0\r\n"
        #expect(error(head + "A: b\r\n\r\n") { $0.trailerBytes = 8 } == nil)
        #expect(error(head + "A: b\r\n\r\n") { $0.trailerBytes = 7 } == .trailersTooLarge)
        let endless = head + "A: " + String(repeating: "b", count: 20_000)
        #expect(error(endless, { _ in }, stride: 97) == .trailersTooLarge)
        let many = head + String(repeating: "A: b\r\n", count: 257) + "\r\n"
        #expect(error(many) { _ in } == .tooManyFields)
    }

    @Test func `so many interim responses may come first`() {
        let interim = "HTTP/1.1 100 C\r\n\r\n"
        let wire = interim + interim + line + zero
        #expect(error(wire) { $0.interimResponses = 2 } == nil)
        #expect(error(wire) { $0.interimResponses = 1 } == .tooManyInterimResponses)
        let endless = String(repeating: interim, count: 17)
        #expect(error(endless) { _ in } == .tooManyInterimResponses)
    }

    @Test func `a chunk line may have so many bytes`() {
        let head = line + "Transfer-Encoding: chunked\r\n\r\n"
        #expect(error(head + "1;abc\r\nx\r\n0\r\n\r\n") { $0.chunkLineBytes = 7 } == nil)
        #expect(
            error(head + "1;abc\r\nx\r\n0\r\n\r\n") { $0.chunkLineBytes = 6 } == .chunkLineTooLong)
        let zeros = head + String(repeating: "0", count: 5_000)
        #expect(error(zeros) { _ in } == .chunkLineTooLong)
        let name = head + "1;" + String(repeating: "a", count: 5_000)
        #expect(error(name) { _ in } == .chunkLineTooLong)
    }

    @Test func `the whole default head is read byte by byte in linear time`() {
        let value = String(repeating: "v", count: 60_000)
        let bytes = latin1(line + "A: " + value + "\r\n" + zero)
        var parser = ResponseParser()
        parser.begin(isHead: false)
        var looked = 0
        for count in stride(from: 1, through: bytes.count, by: 1) {
            guard let (step, _) = try? parser.parse(bytes.span.extracting(first: count)) else {
                return #expect(Bool(false))
            }
            if case .complete = step { looked = count }
        }
        #expect(looked == bytes.count)
    }
}
