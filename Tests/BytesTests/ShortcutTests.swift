// The fast ways of Bytes against the plain ones: numbers, names, short texts, runs.

import FetchBytes
import Testing

struct ShortcutTests {
    private func digits(_ bytes: [UInt8]) -> Int { Scan.decimal(bytes.span, at: 0).digits }

    private func isSame(_ one: [UInt8], _ other: [UInt8], _ range: Range<Int>) -> Bool {
        Scan.isSame(one.span, other.span, range)
    }

    private func text(_ bytes: [UInt8]) -> String? { String(shortASCII: bytes.span) }

    private func tail(of storage: [UInt8], from start: Int, beginsIn input: [UInt8]) -> Bool {
        PackedStorage.tail(of: storage, from: start, beginsIn: input.span)
    }

    @Test func `a number is read wherever it stands`() {
        for count in 0...12 {
            let digits = (0..<count).map { UInt8(ascii: "1") + UInt8($0 % 9) }
            for behind in ["", "/", ":", ";", "a", " ", "\u{7f}", "/xyz/xyz/xyz"] {
                for front in 8...17 {
                    let bytes = [UInt8](repeating: 0x35, count: front) + digits + behind.utf8
                    let (number, found) = Scan.decimal(bytes.span, at: front)
                    let expected = digits.prefix(8).reduce(UInt64(0)) { $0 * 10 + UInt64($1 - 48) }
                    #expect(found == min(count, 8))
                    #expect(number == expected)
                }
            }
        }
    }

    @Test func `a byte above ASCII or below the digits ends a number`() {
        for byte in UInt8.min ... .max where !ASCII.isDigit(byte) {
            for place in 0..<8 {
                var bytes = [UInt8](repeating: 0x39, count: 16)
                bytes[place] = byte
                #expect(digits(bytes) == place)
            }
        }
    }

    @Test func `runs are the same where all their bytes are`() {
        let bytes = (0..<40).map { UInt8($0) }
        for start in 8..<30 {
            for end in start + 1...40 {
                #expect(isSame(bytes, bytes, start..<end))
                for place in start..<end {
                    var other = bytes
                    other[place] ^= 0x80
                    let isSame = isSame(bytes, other, start..<end)
                    if isSame { #expect(!isSame, "\(place) of \(start..<end)") }
                }
            }
        }
    }

    @Test func `a short text is the text of its bytes, or nothing`() {
        for count in 0...20 {
            let bytes = (0..<count).map { UInt8(ascii: "A") + UInt8($0) }
            let text = text(bytes)
            #expect(
                text == ((4...15).contains(count) ? String(decoding: bytes, as: UTF8.self) : nil))
            for place in bytes.indices {
                var other = bytes
                other[place] = 0xe9
                #expect(self.text(other) == nil)
            }
        }
    }

    /// Where `name` is found among names of fields without values.
    private func place(of name: String, in names: [String], from start: Int = 0) -> Int {
        var words: [UInt64] = []
        var bytes: [UInt8] = []
        for each in names {
            words.append(PackedStorage.pack(bytes.count..<bytes.count + each.utf8.count))
            words.append(PackedStorage.pack(0..<0))
            bytes += each.utf8
        }
        return FieldSearch.firstIndex(
            in: PackedStorage.joining(words.span, bytes.span), base: words.count * 8,
            count: names.count, from: start, of: name)
    }

    @Test func `a name is found in any case and not by another name`() {
        let names = [
            "A", "TE", "Age", "Date", "Allow", "Server", "Trailer", "Location", "Connection",
            "Content-Type", "Content-Length", "Transfer-Encoding", "Strict-Transport-Security",
        ]
        for (index, name) in names.enumerated() {
            #expect(place(of: name, in: names) == index)
            #expect(place(of: name.uppercased(), in: names) == index)
            #expect(place(of: name.lowercased(), in: names) == index)
            #expect(place(of: name, in: names, from: index + 1) == -1)
            for place in name.utf8.indices {
                var other = name
                other.replaceSubrange(place..<name.utf8.index(after: place), with: "#")
                #expect(self.place(of: other, in: names) == -1)
            }
        }
    }

    @Test func `only letters have a case`() {
        // Each pair differs in the bit that tells the cases of a letter apart.
        for (one, other) in [("^", "~"), ("`", "@"), ("|", "\\"), ("-", "\r"), ("0", "\u{10}")] {
            for name in ["x", "xxxx", "xxxxxxxx", "xxxxxxxxxxxx"] {
                #expect(place(of: name + other, in: [name + one]) == -1)
                #expect(place(of: other + name, in: [one + name]) == -1)
                #expect(place(of: name.uppercased() + one, in: [name + one]) == 0)
            }
        }
    }

    @Test func `an array's tail is recognised in front of anything`() {
        let storage: [UInt8] = [9, 9, 1, 2, 3]
        #expect(tail(of: storage, from: 2, beginsIn: [1, 2, 3]))
        #expect(tail(of: storage, from: 2, beginsIn: [1, 2, 3, 4]))
        #expect(!tail(of: storage, from: 2, beginsIn: [1, 2]))
        #expect(!tail(of: storage, from: 2, beginsIn: [1, 2, 4]))
        #expect(tail(of: storage, from: 5, beginsIn: [1]))
    }
}
