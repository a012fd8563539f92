// Responses that must be accepted, one line each: the bytes, then what they amount to.

import FetchHTTP1
import Testing

/// One accepted response.
struct Accepted: Sendable, CustomTestStringConvertible {
    var wire: String
    var status: UInt16 = 200
    var reason = "OK"
    var fields: [String]?
    var body = ""
    var framing: Framing = .length(0)
    var close: CloseReason?
    var isHead = false
    var trailers: [String] = []
    var interims: [UInt16] = []
    var timeout: Int?

    var testDescription: String { String(wire.prefix(100)).debugDescription }
}

private let line = "HTTP/1.1 200 OK\r\n"
private let zero = "Content-Length: 0\r\n\r\n"
private let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
private let large = String(repeating: "x", count: 20_000)

/// A response without a body whose fields are these lines.
private func bare(_ lines: String, _ fields: [String]) -> Accepted {
    Accepted(wire: line + lines + zero, fields: fields + ["Content-Length: 0"])
}

/// A chunked body and what it decodes to.
private func chunks(_ wire: String, _ body: String, _ trailers: [String] = []) -> Accepted {
    Accepted(wire: chunked + wire, body: body, framing: .chunked, trailers: trailers)
}

let acceptedStatusLines: [Accepted] = [
    Accepted(wire: line + zero),
    Accepted(wire: "HTTP/1.1 200\r\n" + zero, reason: ""),
    Accepted(wire: "HTTP/1.1 200 \r\n" + zero, reason: ""),
    Accepted(wire: "HTTP/1.1 200  OK\r\n" + zero, reason: " OK"),
    Accepted(wire: "HTTP/1.1 200 A b\tc \r\n" + zero, reason: "A b\tc "),
    Accepted(wire: "HTTP/1.1 200 \u{e9}\u{ff}\r\n" + zero, reason: "\u{e9}\u{ff}"),
    Accepted(wire: "HTTP/1.1 200 200 OK: x, y; z\r\n" + zero, reason: "200 OK: x, y; z"),
    Accepted(wire: "HTTP/1.2 200 OK\r\n" + zero),
    Accepted(wire: "HTTP/1.9 200 OK\r\n" + zero),
    Accepted(wire: "HTTP/1.0 200 OK\r\n" + zero, close: .versionWithoutKeepAlive),
    Accepted(wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n" + zero),
    Accepted(
        wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive, close\r\n" + zero,
        close: .peerSaidClose),
    Accepted(wire: "HTTP/1.1 404 Not Found\r\n" + zero, status: 404, reason: "Not Found"),
    Accepted(wire: "HTTP/1.1 600 X\r\n" + zero, status: 600, reason: "X"),
    Accepted(wire: "HTTP/1.1 999 X\r\n" + zero, status: 999, reason: "X"),
    Accepted(wire: "HTTP/1.1 205 R\r\n" + zero, status: 205, reason: "R"),
    Accepted(wire: "HTTP/1.1 299\r\n" + zero, status: 299, reason: ""),
]

let acceptedFields: [Accepted] = [
    bare("A: b\r\n", ["A: b"]), bare("A:b\r\n", ["A: b"]), bare("A:\r\n", ["A: "]),
    bare("A: \r\n", ["A: "]), bare("A:\t \t\r\n", ["A: "]), bare("A: \t b \t \r\n", ["A: b"]),
    bare("A: b c\td\r\n", ["A: b c\td"]), bare("A: b: c\r\n", ["A: b: c"]),
    bare("A: :\r\n", ["A: :"]), bare("A: \u{80}\u{ff}\r\n", ["A: \u{80}\u{ff}"]),
    bare("A: caf\u{c3}\u{a9}\r\n", ["A: caf\u{c3}\u{a9}"]),
    bare("a: 1\r\nA: 2\r\na: 3\r\n", ["a: 1", "A: 2", "a: 3"]),
    bare("!#$%&'*+-.^_`|~09azAZ: x\r\n", ["!#$%&'*+-.^_`|~09azAZ: x"]),
    bare("X-1: 2\r\n", ["X-1: 2"]), bare("_: x\r\n", ["_: x"]), bare("1: x\r\n", ["1: x"]),
    bare("A: \"q\\\"\"\r\n", ["A: \"q\\\"\""]), bare("A: (c)\r\n", ["A: (c)"]),
    bare("Very-Long-Name-Of-A-Field: v\r\n", ["Very-Long-Name-Of-A-Field: v"]),
    bare("A: 0123456789abcdef\r\n", ["A: 0123456789abcdef"]),
    bare("A: \t0123456\t89abcdef \t x\r\n", ["A: 0123456\t89abcdef \t x"]),
    bare("Upgrade: h2c\r\n", ["Upgrade: h2c"]), bare("Trailer: X\r\n", ["Trailer: X"]),
    bare("Content-Lengthx: y\r\n", ["Content-Lengthx: y"]),
    bare("Content-Lengtg: y\r\n", ["Content-Lengtg: y"]),
    bare("Transfer-Encodinh: y\r\n", ["Transfer-Encodinh: y"]),
    bare("Transfer_Encoding: y\r\n", ["Transfer_Encoding: y"]),
    Accepted(
        wire: line + String(repeating: "A: b\r\n", count: 255) + zero,
        fields: Array(repeating: "A: b", count: 255) + ["Content-Length: 0"]),
]

let acceptedLengths: [Accepted] = [
    Accepted(wire: line + "Content-Length: 5\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(wire: line + "content-length:5\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(wire: line + "CONTENT-LENGTH: \t5\t\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(wire: line + "Content-Length: 005\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(wire: line + "Content-Length: 5, 5\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(
        wire: line + "Content-Length: 5,5\t,5\r\n\r\nhello", body: "hello", framing: .length(5)),
    Accepted(
        wire: line + "Content-Length: 5\r\nX: y\r\nContent-Length: 5\r\n\r\nhello",
        body: "hello", framing: .length(5)),
    Accepted(
        wire: line + "Content-Length: 00000000000000000000000000005\r\n\r\nhello",
        body: "hello", framing: .length(5)),
    Accepted(
        wire: line + "Content-Length: 4\r\n\r\n\r\n\r\n", body: "\r\n\r\n", framing: .length(4)),
    Accepted(
        wire: line + "Content-Length: 20000\r\n\r\n" + large, body: large,
        framing: .length(20_000)),
    Accepted(
        wire: line + "Connection: close\r\nContent-Length: 2\r\n\r\nhi", body: "hi",
        framing: .length(2), close: .peerSaidClose),
]

let acceptedWithoutBody: [Accepted] = [
    Accepted(wire: "HTTP/1.1 204 No\r\n\r\n", status: 204, reason: "No", framing: .none),
    Accepted(wire: "HTTP/1.1 304 Not\r\n\r\n", status: 304, reason: "Not", framing: .none),
    Accepted(
        wire: "HTTP/1.1 304 N\r\nContent-Length: 99\r\n\r\n", status: 304, reason: "N",
        framing: .none),
    Accepted(
        wire: "HTTP/1.1 204 N\r\nContent-Length: 5\r\n\r\n", status: 204, reason: "N",
        framing: .none),
    Accepted(
        wire: "HTTP/1.1 204 N\r\nTransfer-Encoding: chunked\r\n\r\n", status: 204, reason: "N",
        framing: .none),
    Accepted(wire: line + "Content-Length: 500\r\n\r\n", framing: .none, isHead: true),
    Accepted(wire: line + "Transfer-Encoding: chunked\r\n\r\n", framing: .none, isHead: true),
    Accepted(wire: line + "\r\n", framing: .none, isHead: true),
    Accepted(
        wire: "HTTP/1.1 404 N\r\n\r\n", status: 404, reason: "N", framing: .none, isHead: true),
    Accepted(
        wire: "HTTP/1.1 204 N\r\nContent-Length: x\r\n\r\n", status: 204, reason: "N",
        framing: .none, close: .doubtfulFraming),
    Accepted(
        wire: line + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", framing: .none,
        close: .doubtfulFraming, isHead: true),
    Accepted(
        wire: line + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", framing: .none,
        close: .doubtfulFraming, isHead: true),
    Accepted(
        wire: "HTTP/1.1 304 N\r\nConnection: close\r\n\r\n", status: 304, reason: "N",
        framing: .none, close: .peerSaidClose),
]

let acceptedChunked: [Accepted] = [
    chunks("0\r\n\r\n", ""), chunks("5\r\nhello\r\n0\r\n\r\n", "hello"),
    chunks("1\r\na\r\n1\r\nb\r\n0\r\n\r\n", "ab"), chunks("00\r\n\r\n", ""),
    chunks("000000000000000000000000\r\n\r\n", ""), chunks("0005\r\nhello\r\n000\r\n\r\n", "hello"),
    chunks("a\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    chunks("A\r\n0123456789\r\n0\r\n\r\n", "0123456789"),
    chunks("2\r\n\r\n\r\n0\r\n\r\n", "\r\n"), chunks("1;a\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1;a=b\r\nx\r\n0;c\r\n\r\n", "x"), chunks("1;a=\"b\"\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1;a=\"\"\r\nx\r\n0\r\n\r\n", "x"), chunks("1;a;b=c;d=\"e\"\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1 ;a\r\nx\r\n0\r\n\r\n", "x"), chunks("1\t; a \t= \tb\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1;a = b ; c\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1;a=\"b;\\\"c\\\\ \t\u{80}\"\r\nx\r\n0\r\n\r\n", "x"),
    chunks("1;a=\"b\" ;c\r\nx\r\n0\r\n\r\n", "x"), chunks("1;a ;b\r\nx\r\n0\r\n\r\n", "x"),
    chunks("0\r\nA: b\r\n\r\n", "", ["A: b"]),
    chunks("1\r\nx\r\n0\r\nA: b\r\nc:d\r\n\r\n", "x", ["A: b", "c: d"]),
    chunks(
        "0\r\nContent-Length: 7\r\nTransfer-Encoding: x\r\n\r\n", "",
        ["Content-Length: 7", "Transfer-Encoding: x"]),
    chunks("0\r\nA:\r\n\r\n", "", ["A: "]),
    chunks("4e20\r\n" + large + "\r\n0\r\n\r\n", large),
    Accepted(
        wire: line + "transfer-encoding:CHUNKED\r\n\r\n0\r\n\r\n", framing: .chunked),
    Accepted(
        wire: line + "Transfer-Encoding: , chunked ,,\t\r\n\r\n0\r\n\r\n", framing: .chunked),
    Accepted(
        wire: line + "Transfer-Encoding:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        framing: .chunked),
    Accepted(
        wire: "HTTP/1.5 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", framing: .chunked),
]

let acceptedPersistence: [Accepted] = [
    Accepted(wire: line + "Connection: close\r\n" + zero, close: .peerSaidClose),
    Accepted(wire: line + "connection:CLOSE\r\n" + zero, close: .peerSaidClose),
    Accepted(wire: line + "Connection: x, close ,y\r\n" + zero, close: .peerSaidClose),
    Accepted(
        wire: line + "Connection: keep-alive\r\nConnection: close\r\n" + zero,
        close: .peerSaidClose),
    Accepted(
        wire: line + "Connection: close\r\nConnection: keep-alive\r\n" + zero,
        close: .peerSaidClose),
    Accepted(wire: line + "Connection: closed\r\n" + zero),
    Accepted(wire: line + "Connection: keep-alive\r\n" + zero),
    Accepted(wire: line + "Connection: Keep-Alive\r\n" + zero),
    Accepted(wire: line + "Connection:\r\n" + zero),
    Accepted(wire: line + "Connection: ,,\r\n" + zero),
    Accepted(wire: line + "Connection: \"close\"\r\n" + zero),
    Accepted(wire: line + "Keep-Alive: timeout=5, max=100\r\n" + zero, timeout: 5),
    Accepted(wire: line + "keep-alive: max=100,TIMEOUT = 7\r\n" + zero, timeout: 7),
    Accepted(wire: line + "Keep-Alive: timeout=0\r\n" + zero, close: .hintForbidsReuse, timeout: 0),
    Accepted(
        wire: line + "Keep-Alive: timeout=-5\r\n" + zero, close: .hintForbidsReuse, timeout: 0),
    Accepted(wire: line + "Keep-Alive: max=0\r\n" + zero, close: .hintForbidsReuse),
    Accepted(
        wire: line + "Keep-Alive: timeout=99999999999999999999999\r\n" + zero,
        timeout: 2_147_483_647),
    Accepted(wire: line + "Keep-Alive: timeout=5s\r\n" + zero),
    Accepted(wire: line + "Keep-Alive: timeout=\r\n" + zero),
    Accepted(wire: line + "Keep-Alive: timeout\r\n" + zero),
    Accepted(wire: line + "Keep-Alive: =5, timeout=-\r\n" + zero),
    Accepted(wire: line + "Keep-Alive: 300\r\n" + zero),
    Accepted(
        wire: "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\nKeep-Alive: timeout=3\r\n" + zero,
        timeout: 3),
]

let acceptedInterims: [Accepted] = [
    Accepted(wire: "HTTP/1.1 100 Continue\r\n\r\n" + line + zero, interims: [100]),
    Accepted(wire: "HTTP/1.1 103 E\r\nLink: x\r\n\r\n" + line + zero, interims: [103]),
    Accepted(
        wire: "HTTP/1.1 102\r\n\r\nHTTP/1.1 199 \r\n\r\n" + line + zero, interims: [102, 199]),
    Accepted(
        wire: "HTTP/1.1 100 C\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n" + line + zero,
        interims: [100]),
    Accepted(
        wire: "HTTP/1.1 100 C\r\nConnection: close\r\n\r\n" + line + zero, interims: [100]),
    Accepted(
        wire: String(repeating: "HTTP/1.1 100 C\r\n\r\n", count: 16) + line + zero,
        interims: Array(repeating: 100, count: 16)),
    Accepted(
        wire: "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 204 N\r\n\r\n", status: 204, reason: "N",
        framing: .none, interims: [100]),
]

let accepted: [Accepted] =
    acceptedStatusLines + acceptedFields + acceptedLengths + acceptedWithoutBody
    + acceptedChunked + acceptedPersistence + acceptedInterims

/// Bodies that end with the connection: nothing tells their end but the end.
let acceptedUntilClose: [Accepted] = [
    Accepted(
        wire: line + "\r\n", framing: .closeDelimited, close: .bodyEndsWithConnection),
    Accepted(
        wire: line + "\r\nhello", body: "hello", framing: .closeDelimited,
        close: .bodyEndsWithConnection),
    Accepted(
        wire: "HTTP/1.0 200 OK\r\nA: b\r\n\r\nhello\r\n", fields: ["A: b"], body: "hello\r\n",
        framing: .closeDelimited, close: .versionWithoutKeepAlive),
    Accepted(
        wire: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx", body: "x",
        framing: .closeDelimited, close: .bodyEndsWithConnection),
    Accepted(
        wire: line + "Connection: close\r\n\r\n" + large, body: large, framing: .closeDelimited,
        close: .peerSaidClose),
    Accepted(
        wire: "HTTP/1.1 100 C\r\n\r\n" + line + "\r\nx", body: "x", framing: .closeDelimited,
        close: .bodyEndsWithConnection, interims: [100]),
]
