// A head that is made of stored fields says the same as one that came.

import FetchBytes
import FetchHTTP
import FetchHTTP1
import Testing

struct StoredHeadTests {
    private func received(_ wire: String) throws -> ResponseHead {
        var parser = ResponseParser()
        parser.begin(isHead: false)
        let bytes = latin1(wire)
        guard case .complete(let head, _) = try parser.parse(bytes.span).0 else {
            throw MessageError.invalidStatusLine
        }
        return head
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: s\r\nX: \r\nX: a b\r\n\r\nhi",
        "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 299 \u{e9}t\u{e9}\r\ncontent-length: 1\r\nSet-Cookie: \u{e9}\r\n\r\nx",
        "HTTP/1.1 204 No Content\r\nDate: Sat, 21 Nov 2026 09:16:51 GMT\r\n\r\n",
    ]) func `it says the same as one that came`(_ wire: String) throws {
        let head = try received(wire)
        let length: Int? = if case .length(let count) = head.framing { count } else { nil }
        let made = ResponseHead(
            status: head.status, reason: head.reasonBytes, fields: head.fields, bodyCount: length)
        #expect(made.status == head.status && made.versionMinor == 1)
        #expect(made.reasonBytes == head.reasonBytes)
        #expect(made.fields == head.fields)
        #expect(made.framing == head.framing)
        #expect(made.closeReason == nil && made.keepAliveTimeoutSeconds == nil)
        #expect(made.receivedBytes == head.receivedBytes)
        #expect(made.description == head.description)
        #expect(made.fields["server"] == head.fields["server"])
    }

    @Test func `without fields it is a status line`() {
        let made = ResponseHead(
            status: 304, reason: Bytes("Not Modified"), fields: FieldSection(), bodyCount: nil)
        #expect(made.framing == .none && made.reason == "Not Modified" && made.fields.isEmpty)
        #expect(String(made.receivedBytes) == "HTTP/1.1 304 Not Modified\r\n\r\n")
    }
}
