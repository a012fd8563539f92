// The pure parts of `fetch --jsonl`, one row at a time; DriveTests holds the whole.

import FetchCommand
import Testing

@Suite struct JSONTests {
    @Test(arguments: [
        ("null", "null"), (" true ", "a boolean"), ("-0.5e+3", "a number"), ("\"\"", "a string"),
        ("[1,[],{}]", "an array"), ("{\"a\":{\"a\":1},\"a\":2}", "an object"),
        (String(repeating: "[", count: 128) + String(repeating: "]", count: 128), "an array"),
    ])
    func `a JSON text of any kind is read`(text: String, kind: String) throws {
        #expect(try JSONReader.read(Array(text.utf8)).kind == kind)
    }

    @Test(arguments: [
        "", " ", "nul", "[1,]", "[,1]", "[1 2]", "{\"a\"}", "{\"a\":}", "{,}", "{a:1}", "01", "-",
        "1.", ".1", "1e", "+1", "0x1", "'a'", "\"", "\"\\", "\"\\u12\"", "\"\\q\"", "\"\n\"", "1 1",
        "]", "[}", "NaN", "\u{FEFF}1", String(repeating: "[", count: 129),
    ])
    func `what is not quite JSON is refused`(text: String) {
        #expect(throws: JSONError.self) { try JSONReader.read(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC2], [0xC2, 0x41], [0xE0, 0x9F, 0xBF], [0xED, 0xA0, 0x80],
            [0xEF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80],
            [0xFF],
        ] as [[UInt8]])
    func `a string that is not UTF-8 is refused`(bytes: [UInt8]) {
        let quote = [UInt8(ascii: "\"")]
        #expect(throws: JSONError.self) { try JSONReader.read(quote + bytes + quote) }
    }

    @Test(arguments: [
        (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{C}\n\r\t"), (#""\u00e9\u4e2d""#, "é中"),
        (#""\ud83d\ude00é😀""#, "😀é😀"), (#""\u0000\u007F""#, "\u{0}\u{7F}"),
    ])
    func `escapes and surrogate pairs become characters`(text: String, wanted: String) throws {
        let value = try JSONReader.read(Array(text.utf8))
        #expect(value == .string(JSONString(utf8: Array(wanted.utf8))))
    }

    @Test(arguments: [#""\ud83d""#, #""\ude00""#, #""\ud83d\u0041""#, #""\ud83dx""#])
    func `half a surrogate pair is JSON but no text`(text: String) throws {
        guard case .string(let string) = try JSONReader.read(Array(text.utf8)) else {
            Issue.record("not a string")
            return
        }
        #expect(string.text == nil)
    }

    @Test func `every prefix of a text is refused`() throws {
        let text = Array(#"{"id":[1.5e3,"\ud83d\ude00é",true,null],"url":""}"#.utf8)
        for count in 0..<text.count {
            #expect(throws: JSONError.self) { try JSONReader.read(Array(text[..<count])) }
        }
        _ = try JSONReader.read(text)
    }

    @Test func `strings are written in ASCII`() {
        var line = JSONWriter()
        line.string("a\"\\\n\u{7F}é😀")
        line.latin1([0x41, 0x22, 0xE9, 0x85, 0x00])
        let wanted = #""a\"\\\u000a\u007f\u00e9\ud83d\ude00""A\"\u00e9\u0085\u0000""#
        #expect(String(decoding: line.bytes, as: UTF8.self) == wanted)
    }

    @Test(
        arguments: [
            (Duration.zero, "0"), (.nanoseconds(1), "0.001"), (.nanoseconds(1_001), "0.002"),
            (.milliseconds(3), "3"), (.microseconds(1_234_567), "1234.567"),
            (.microseconds(50), "0.05"),
        ] as [(Duration, String)])
    func `only no time at all is written as 0`(duration: Duration, wanted: String) {
        var line = JSONWriter()
        line.milliseconds(duration)
        #expect(Double(String(decoding: line.bytes, as: UTF8.self)) == Double(wanted))
    }
}

@Suite struct Base64Tests {
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"), ("\u{0}>?\u{7F}", "AD4/fw=="),
    ])
    func `base64 goes both ways`(text: String, encoded: String) {
        var bytes: [UInt8] = []
        Base64.encode(Array(text.utf8).span, into: &bytes)
        #expect(String(decoding: bytes, as: UTF8.self) == encoded)
        #expect(Base64.decode(Array(encoded.utf8)) == Array(text.utf8))
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Zg==Zg==", "Z===", "====", "Zm 9v", "Zm9v\n", "Zm-_",
        "=Zm9",
    ])
    func `what is not strict base64 is refused`(text: String) {
        #expect(Base64.decode(Array(text.utf8)) == nil)
    }
}

@Suite struct LineSplitterTests {
    private func lines(_ pieces: [String], limit: Int = 100) -> [LineSplitter.Line] {
        var splitter = LineSplitter(limit: limit)
        var lines: [LineSplitter.Line] = []
        for piece in pieces {
            splitter.append(piece.utf8)
            while let line = splitter.next() { lines.append(line) }
        }
        splitter.end()
        while let line = splitter.next() { lines.append(line) }
        #expect(splitter.isEmpty)
        return lines
    }

    private func text(_ text: String, _ number: Int) -> LineSplitter.Line {
        .text(Array(text.utf8), number: number)
    }

    @Test func `lines come out the same however the input is cut`() {
        let input = "\u{FEFF}{1}\r\n\n \t\n{2}\n{3}"
        let wanted = [text("{1}\r", 1), text("{2}", 4), text("{3}", 5)]
        #expect(lines([input]) == wanted)
        let bytes = Array(input.utf8)
        for cut in 0...bytes.count {
            var splitter = LineSplitter(limit: 100)
            var found: [LineSplitter.Line] = []
            for piece in [bytes[..<cut], bytes[cut...]] {
                splitter.append(piece)
                while let line = splitter.next() { found.append(line) }
            }
            splitter.end()
            while let line = splitter.next() { found.append(line) }
            #expect(found == wanted, "cut at \(cut)")
        }
    }

    @Test func `a line above the limit is told once and skipped`() {
        let wanted: [LineSplitter.Line] = [text("12345", 1), .tooLong(number: 2), text("x", 3)]
        #expect(lines(["12345\n123456\nx"], limit: 5) == wanted)
        #expect(lines(["12345\n", "1234", "567", "89", "\nx"], limit: 5) == wanted)
        #expect(lines(["123456"], limit: 5) == [.tooLong(number: 1)])
        #expect(lines(["123456", "7", ""], limit: 5) == [.tooLong(number: 1)])
    }

    @Test func `no input has no line`() {
        #expect(lines([]) == [])
        #expect(lines(["\n\n", " "]) == [])
    }
}

@Suite struct RequestLineTests {
    @Test func `a line says what is asked`() throws {
        let text =
            #"{"id": {"a":[1]} ,"url":"http://h/","method":"PUT","body":"é","#
            + #""headers":[["A","\u00e9"]],"timeout_ms":1.5}"#
        let line = try RequestLine.read(Array(text.utf8))
        #expect(line.id.map { String(decoding: $0, as: UTF8.self) } == #"{"a":[1]}"#)
        #expect((line.method, line.url) == ("PUT", "http://h/"))
        #expect(line.fields.map(\.name) == ["A"])
        #expect(line.fields.map(\.value) == [[0xE9]])
        #expect(line.body == [0xC3, 0xA9])
        #expect(line.timeout == .microseconds(1_500))
    }

    @Test(arguments: [
        ("{", "invalid-json", "-"), ("[]", "invalid-request", "-"),
        (#"{"id":1,"URL":""}"#, "unsupported-field", "1"),
        (#"{"id":"x"}"#, "invalid-request", "\"x\""),
        (#"{"url":"u","body":"","body_base64":""}"#, "invalid-request", "-"),
        (#"{"url":"u","headers":[["a","\u0100"]]}"#, "invalid-request", "-"),
        (#"{"url":"u","headers":[["a","\ud800"]]}"#, "invalid-request", "-"),
        (#"{"url":"u","timeout_ms":0}"#, "invalid-request", "-"),
    ])
    func `a line that makes no request is refused by code`(text: String, code: String, id: String) {
        do {
            _ = try RequestLine.read(Array(text.utf8))
            Issue.record("not refused")
        } catch {
            #expect(error.code.name == code)
            #expect(error.id.map { String(decoding: $0, as: UTF8.self) } ?? "-" == id)
        }
    }

    @Test func `a clock beyond all reason is as good as none`() throws {
        let line = try RequestLine.read(Array(#"{"url":"u","timeout_ms":1e400}"#.utf8))
        #expect(line.timeout == .seconds(2_147_483_648))
    }
}
