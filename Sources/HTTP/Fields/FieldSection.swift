// FieldSection: received fields (RFC 9110 section 5), without a copy per field. A value; any
// thread.
//
// One array holds everything: two words per field (where its name and its value lie), then what the
// parser noted of the message, then the bytes as they came. Made by the parser, which has checked
// every byte and every offset.

package import FetchBytes
package import HTTPTypes

/// Header or trailer fields as received: order, case and bytes kept.
package struct FieldSection: Sendable {
    /// The index, what the parser noted, and the bytes.
    package let storage: [UInt8]
    /// Where in `storage` the received bytes begin.
    private let base: UInt32
    private let fieldCount: UInt32

    /// No fields.
    package init() {
        storage = []
        base = 0
        fieldCount = 0
    }

    /// Takes over what `PackedStorage.joining` made of an index of `count` fields, a note of so
    /// many bytes, and the received bytes.
    package init(storage: [UInt8], count: Int, noteBytes: Int = 0) {
        self.storage = storage
        base = UInt32(truncatingIfNeeded: count &* 16 &+ noteBytes)
        fieldCount = UInt32(truncatingIfNeeded: count)
    }

    /// Where in `storage` the note begins.
    package var noteStart: Int { count &* 16 }

    /// The number of fields.
    package var count: Int { Int(fieldCount) }

    /// Whether there is no field.
    package var isEmpty: Bool { fieldCount == 0 }

    /// The place in `storage` of what one word speaks of.
    func range(_ word: Int) -> Range<Int> {
        let packed = PackedStorage.word(storage, at: word)
        let start = Int(packed & 0xffff_ffff) &+ Int(base)
        return start..<start &+ Int(packed &>> 32)
    }

    /// The name of a field as received. Traps outside `0..<count`.
    @_lifetime(borrow self)
    package func nameSpan(at index: Int) -> Span<UInt8> {
        precondition(index >= 0 && index < count)
        return storage.span.extracting(range(index &* 2))
    }

    /// The value of a field, without the white space around it. Traps outside `0..<count`.
    @_lifetime(borrow self)
    package func valueSpan(at index: Int) -> Span<UInt8> {
        precondition(index >= 0 && index < count)
        return storage.span.extracting(range(index &* 2 &+ 1))
    }

    /// The name of a field as text, in the case received.
    package func name(at index: Int) -> String {
        FieldText.string(nameSpan(at: index))
    }

    /// The value of a field: as UTF-8, or as ISO Latin-1 where it is not UTF-8.
    package func value(at index: Int) -> String {
        FieldText.string(valueSpan(at: index))
    }

    /// The value of a field, each byte as the character of that number.
    package func latin1Value(at index: Int) -> String {
        FieldText.latin1(valueSpan(at: index))
    }

    /// The value of a field as bytes, in the same storage.
    package func valueBytes(at index: Int) -> Bytes {
        precondition(index >= 0 && index < count)
        return Bytes(storage: storage, range: range(index &* 2 &+ 1))
    }

    /// A run of the received bytes, counted from where they begin, in the same storage.
    package func receivedBytes(_ range: Range<Int>) -> Bytes {
        Bytes(
            storage: storage,
            range: Int(base) + range.lowerBound..<Int(base) + range.upperBound)
    }

    /// Whether a run of the received bytes, counted likewise, is the URI of a target. Traps outside
    /// of what was received.
    package func received(_ range: Range<Int>, isResourceOf target: Target) -> Bool {
        let start = Int(base) + range.lowerBound
        return target.isResource(storage.span.extracting(start..<start + range.count))
    }
}

extension FieldSection {
    /// The place of the first field of a name in any case, from `start` on; nil when there is none.
    ///
    /// O(count): one comparison per field whose name has another length.
    package func firstIndex(of name: String, from start: Int = 0) -> Int? {
        let index = place(of: name, from: start)
        return index < 0 ? nil : index
    }

    @inline(__always)
    private func place(of name: String, from start: Int) -> Int {
        FieldSearch.firstIndex(
            in: storage, base: Int(base), count: count, from: start, of: name)
    }

    /// The place of the first field of a name.
    package func firstIndex(of name: HTTPField.Name) -> Int? {
        firstIndex(of: name.canonicalName)
    }

    /// Whether there is a field of a name, in any case.
    package func contains(_ name: String) -> Bool { firstIndex(of: name) != nil }

    /// The first value of a name, in any case.
    package subscript(_ name: String) -> String? {
        let index = place(of: name, from: 0)
        return index < 0 ? nil : value(at: index)
    }

    /// The first value of a name.
    package subscript(_ name: HTTPField.Name) -> String? { self[name.canonicalName] }

    /// All values of a name, in order.
    package func values(of name: String) -> [String] {
        var values: [String] = []
        var next = firstIndex(of: name)
        while let index = next {
            values.append(value(at: index))
            next = firstIndex(of: name, from: index + 1)
        }
        return values
    }

    /// The fields as swift-http-types has them, by their bytes. That type holds at most 65,534
    /// fields; what is beyond is left out.
    package var httpFields: HTTPFields {
        var fields = HTTPFields()
        for index in 0..<min(count, 65_534) {
            guard let name = HTTPField.Name(name(at: index)) else { continue }
            fields.append(HTTPField(name: name, value: valueBytes(at: index)))
        }
        return fields
    }
}

extension FieldSection: Equatable {
    /// Whether both hold the same names and values in the same order, byte for byte.
    package static func == (one: FieldSection, other: FieldSection) -> Bool {
        guard one.count == other.count else { return false }
        return (0..<one.count).allSatisfy {
            one.nameSpan(at: $0).holdsSameBytes(as: other.nameSpan(at: $0))
                && one.valueSpan(at: $0).holdsSameBytes(as: other.valueSpan(at: $0))
        }
    }
}

extension FieldSection: CustomStringConvertible {
    package var description: String {
        (0..<count).map { "\(name(at: $0)): \(value(at: $0))" }.joined(separator: "\n")
    }
}
