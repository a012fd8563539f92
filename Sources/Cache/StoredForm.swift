// StoredForm: a stored response as bytes, for stores that outlive the process, and back. Pure; any
// thread. The body goes beside it, for it may be large, and is shared.
//
// All numbers stand lowest byte first.
//
//      0  "SFC" and the version of this form, 1
//      4  status, 2 bytes; flags, 2 bytes
//      8  partition, 16 bytes
//     24  age when it came, in nanoseconds, 8 bytes
//     32  when it came, by the wall clock: seconds since 1970, 8 bytes; nanoseconds, 4 bytes
//     44  count of the head's bytes, 4 bytes
//     48  how long its head was waited for, in nanoseconds, 8 bytes
//     56  count of the body's bytes, 8 bytes
//     64  for a part of a representation: its first byte, the one behind its last, the length of
//         the whole; 8 bytes each
//     88  count of the URI's bytes, 4 bytes; of the selecting fields', 4 bytes
//     96  head: status line, field lines, empty line; URI; selecting fields
//
// How fresh it is isn't written: that follows from the fields, under the rules of whoever reads it.
// Nothing that is read is believed: what a file says may come from a failing disk, or from whoever
// could write to it.

package import FetchBytes
internal import FetchHTTP
package import FetchTime

/// Why bytes are no stored response.
package enum StoredFormError: Error, Equatable, Sendable {
    /// Written by another version, or no stored response at all.
    case otherVersion
    /// Its bytes contradict themselves.
    case malformed
    /// It was stored for another URI, or for other credentials.
    case otherKey
    /// It was stored for one user, and the cache that reads it is for many, or the other way round.
    case otherRules
}

/// Writes and reads stored responses.
package enum StoredForm {
    package static let version: UInt8 = 1
    /// Bytes in front of the text.
    static let fixedBytes = 96
    /// The longest form that is read.
    package static let mostBytes = 4 << 20

    struct Flags: OptionSet {
        let rawValue: UInt16
        /// The cache that stored it was one for many users.
        static var isShared: Flags { Flags(rawValue: 1) }
        static var isPart: Flags { Flags(rawValue: 2) }
    }

    /// Everything about a response but its body.
    package static func bytes(of response: CachedResponse, _ rules: CacheRules) -> Bytes {
        let facts = response.facts
        var flags: Flags = rules.isShared ? .isShared : []
        var part = (first: 0, end: 0, length: 0)
        if case .part(let range, let length) = facts.content {
            flags.insert(.isPart)
            part = (range.lowerBound, range.upperBound, length)
        }
        let head = facts.fields.receivedBytes(0..<facts.uri.lowerBound)
        let (uri, selecting) = (response.uriBytes, response.selectingBytes)
        let came = facts.times.response
        let delay = max(0, came.instant.nanoseconds(since: facts.times.request.instant))
        var writer = Writer(count: fixedBytes + head.count + uri.count + selecting.count)
        writer.append(UInt64(mark), 4)
        writer.append(UInt64(facts.status), 2)
        writer.append(UInt64(flags.rawValue), 2)
        writer.append(facts.partition.digest.low, 8)
        writer.append(facts.partition.digest.high, 8)
        writer.append(UInt64(bitPattern: facts.freshness.initialAge), 8)
        writer.append(UInt64(bitPattern: came.wall.seconds), 8)
        writer.append(UInt64(UInt32(bitPattern: came.wall.nanoseconds)), 4)
        writer.append(UInt64(head.count), 4)
        writer.append(UInt64(bitPattern: delay), 8)
        for count in [facts.body.count, part.first, part.end, part.length] {
            writer.append(UInt64(count), 8)
        }
        writer.append(UInt64(uri.count), 4)
        writer.append(UInt64(selecting.count), 4)
        for text in [head, uri, selecting] { writer.bytes.append(copying: text.span) }
        return Bytes(writer.bytes)
    }

    /// `SFC` and the version, as a number.
    static var mark: UInt32 { 0x43_4653 | UInt32(version) << 24 }

    private struct Writer {
        var bytes: [UInt8] = []

        init(count: Int) { bytes.reserveCapacity(count) }

        mutating func append(_ number: UInt64, _ count: Int) {
            for index in 0..<count {
                bytes.append(UInt8(truncatingIfNeeded: number >> UInt64(8 * index)))
            }
        }
    }
}

extension StoredForm {
    /// What the bytes say before their text is looked at: enough to find the body, and to know
    /// whether it is worth it.
    package struct Outline: Equatable, Sendable {
        package let status: UInt16
        package let isShared: Bool
        package let partition: CachePartition
        /// Nanoseconds.
        let initialAge: Int64
        /// When it came.
        package let received: Timestamp
        /// Nanoseconds.
        let delay: Int64
        package let bodyCount: Int
        let content: CachedResponse.Content
        let head: Range<Int>
        let uri: Range<Int>
        let selecting: Range<Int>

        /// Reads it.
        package init(_ bytes: Span<UInt8>) throws(StoredFormError) {
            guard bytes.count >= 4, Self.number(bytes, 0, 4) == UInt64(mark) else {
                throw .otherVersion
            }
            guard bytes.count >= fixedBytes, bytes.count <= mostBytes else { throw .malformed }
            func number(_ offset: Int, _ count: Int) -> UInt64 {
                Self.number(bytes, offset, count)
            }
            func length(_ offset: Int, _ count: Int = 8) throws(StoredFormError) -> Int {
                guard let length = Int(exactly: number(offset, count)), length < 1 << 48
                else { throw .malformed }
                return length
            }
            let flags = Flags(rawValue: UInt16(number(6, 2)))
            status = UInt16(number(4, 2))
            isShared = flags.contains(.isShared)
            partition = CachePartition(Digest(low: number(8, 8), high: number(16, 8)))
            initialAge = Int64(bitPattern: number(24, 8))
            received = Timestamp(
                seconds: Int64(bitPattern: number(32, 8)),
                nanoseconds: Int32(bitPattern: UInt32(number(40, 4))))
            delay = Int64(bitPattern: number(48, 8))
            bodyCount = try length(56)
            let (first, end, whole) = (try length(64), try length(72), try length(80))
            if flags.contains(.isPart) {
                guard first < end, end <= whole, end - first == bodyCount else { throw .malformed }
                content = .part(first..<end, of: whole)
            } else {
                content = .whole
            }
            head = fixedBytes..<fixedBytes + (try length(44, 4))
            uri = head.upperBound..<head.upperBound + (try length(88, 4))
            selecting = uri.upperBound..<uri.upperBound + (try length(92, 4))
            guard selecting.upperBound == bytes.count, (200...999).contains(status),
                (0..<1_000_000_000).contains(received.nanoseconds),
                (0...Nanoseconds.most).contains(initialAge), delay >= 0
            else { throw .malformed }
        }

        private static func number(_ bytes: Span<UInt8>, _ offset: Int, _ count: Int) -> UInt64 {
            var number: UInt64 = 0
            for index in stride(from: count - 1, through: 0, by: -1) {
                number = number << 8 | UInt64(bytes[offset + index])
            }
            return number
        }
    }

    /// The URI of a stored response.
    package static func uri(of bytes: Bytes) throws(StoredFormError) -> Bytes {
        bytes.slice(try Outline(bytes.span).uri)
    }
}
