// FieldSectionBuilder: puts a field section together of lines from elsewhere, for whoever answers
// in a server's place. A value; any thread.

internal import FetchBytes

/// Collects fields and bytes beside them.
package struct FieldSectionBuilder {
    private var words: [UInt64] = []
    private var bytes: [UInt8] = []

    package init() {}

    /// The number of fields so far.
    package var count: Int { words.count / 2 }

    /// Adds bytes that belong to no field; where they are, for `FieldSection.receivedBytes`.
    package mutating func appendAside(_ aside: Span<UInt8>) -> Range<Int> {
        let start = bytes.count
        bytes.append(copying: aside)
        return start..<bytes.count
    }

    /// Adds the UTF-8 of text that belongs to no field.
    package mutating func appendAside(_ aside: String) -> Range<Int> {
        let utf8 = aside.utf8
        return appendAside(utf8.span)
    }

    /// Adds a field, as a line. Neither name nor value is checked: they come from fields that were.
    package mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        words.append(PackedStorage.pack(appendAside(name)))
        bytes.append(UInt8(ascii: ":"))
        bytes.append(UInt8(ascii: " "))
        words.append(PackedStorage.pack(appendAside(value)))
        bytes.append(0x0d)
        bytes.append(0x0a)
    }

    /// Adds a field of text that was made here.
    package mutating func append(_ name: String, _ value: String) {
        let name = name.utf8
        let value = value.utf8
        append(name: name.span, value: value.span)
    }

    /// Adds a field of another section.
    package mutating func append(_ fields: FieldSection, at index: Int) {
        append(name: fields.nameSpan(at: index), value: fields.valueSpan(at: index))
    }

    /// The section, in one allocation of just its size.
    package func build() -> FieldSection {
        FieldSection(storage: PackedStorage.joining(words.span, bytes.span), count: count)
    }

    /// The section with a note between index and bytes, as the parser leaves one.
    package func build(noting note: some BitwiseCopyable) -> FieldSection {
        FieldSection(
            storage: PackedStorage.joining(words.span, note, bytes.span), count: count,
            noteBytes: MemoryLayout.size(ofValue: note))
    }
}

extension FieldSection {
    /// What the section's storage costs; whoever shares it pays as well.
    package var allocatedBytes: Int { receivedBytes(0..<0).allocatedBytes }
}
