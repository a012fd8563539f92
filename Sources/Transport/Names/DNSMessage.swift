// The answer in a DNS message (RFC 1035 §4, RFC 3596, RFC 2308): addresses of one family and how
// long they hold. Pure. The bytes come from whoever answered: nothing in them may trap, loop or
// reserve memory beyond what they are themselves.

package enum DNSMessage {
    /// Aliases followed from the name that was asked for to the one that has addresses.
    package static let mostAliases = 16
    /// Bytes of a name on the wire (RFC 1035 §2.3.4).
    private static let mostNameBytes = 255
    private static let headerBytes = 12

    private enum RecordType {
        static let cname: UInt16 = 5
        static let soa: UInt16 = 6
    }

    private struct Malformed: Error {}

    /// What a response says of the name in its question. `most` addresses are kept.
    package static func answer(
        in message: Span<UInt8>, _ family: AddressFamily, most: Int, from server: SocketAddress?
    ) -> FamilyAnswer {
        guard let code = responseCode(of: message) else { return .failed(.malformedAnswer, []) }
        switch code {
        case .noError, .nameError:
            var reader = Reader(message)
            do throws(Malformed) {
                return try reader.answer(family, most: most, isNameError: code == .nameError)
            } catch {
                return .failed(.malformedAnswer, [])
            }
        default:
            let refusals = server.map { [NameError.Refusal(server: $0, code: code)] } ?? []
            return .failed(code == .refused ? .refused : .serverFailure, refusals)
        }
    }

    /// The response code of a message that is long enough to have one.
    package static func responseCode(of message: Span<UInt8>) -> ResponseCode? {
        message.count >= headerBytes ? ResponseCode(message[3] & 15) : nil
    }

    /// The name (in lower case, on-the-wire form) and the family that a message's question asks
    /// for; nil when it has another one.
    package static func question(
        of message: Span<UInt8>
    ) -> (name: [UInt8], family: AddressFamily)? {
        var reader = Reader(message)
        do throws(Malformed) {
            let (name, type) = try reader.question()
            return AddressFamily(rawValue: type).map { (name, $0) }
        } catch {
            return nil
        }
    }

    /// A valid name's on-the-wire form in lower case, as `question` gives it.
    package static func wireForm(of name: String) -> [UInt8] {
        var wire: [UInt8] = []
        for label in name.lowercased().utf8.split(separator: UInt8(ascii: ".")) {
            wire.append(UInt8(truncatingIfNeeded: label.count))
            wire += label
        }
        return wire + [0]
    }

    /// One pass over a message.
    private struct Reader: ~Escapable {
        private let bytes: Span<UInt8>
        private var index = 0

        @_lifetime(copy bytes)
        init(_ bytes: Span<UInt8>) {
            self.bytes = bytes
        }

        struct Record {
            let owner: [UInt8]
            let type: UInt16
            let isInternet: Bool
            let seconds: UInt32
            let data: Range<Int>
        }

        /// The addresses at the end of the chain of aliases, or what the answer says instead.
        mutating func answer(
            _ family: AddressFamily, most: Int, isNameError: Bool
        ) throws(Malformed) -> FamilyAnswer {
            let (asked, _) = try question()
            let answers = try uint16(at: 6)
            let authorities = try uint16(at: 8)
            var aliases: [(owner: [UInt8], name: [UInt8], seconds: UInt32)] = []
            var addresses: [(owner: [UInt8], host: SocketAddress.Host, seconds: UInt32)] = []
            for _ in 0..<answers {
                let record = try record()
                guard record.isInternet else { continue }
                if record.type == RecordType.cname {
                    var at = record.data.lowerBound
                    aliases.append((record.owner, try name(at: &at), record.seconds))
                } else if record.type == family.rawValue {
                    addresses.append((record.owner, try host(family, record.data), record.seconds))
                }
            }
            var owner = asked
            var seconds = UInt32.max
            for _ in 0...DNSMessage.mostAliases {
                let found = addresses.filter { $0.owner == owner }
                if !found.isEmpty, !isNameError {
                    let least = found.map(\.seconds).min() ?? 0
                    return .addresses(
                        found.prefix(most).map(\.host), seconds: min(seconds, least))
                }
                guard let alias = aliases.first(where: { $0.owner == owner }) else {
                    let holds = try negativeSeconds(authorities)
                    return .nothing(noSuchName: isNameError, seconds: holds)
                }
                owner = alias.name
                seconds = min(seconds, alias.seconds)
            }
            throw Malformed()  // aliases in a circle, or too many of them
        }

        /// The one question of a message; `index` is behind it.
        mutating func question() throws(Malformed) -> (name: [UInt8], type: UInt16) {
            guard try uint16(at: 4) == 1 else { throw Malformed() }
            index = DNSMessage.headerBytes
            let name = try name(at: &index)
            let type = try uint16(at: index)
            index += 4
            return (name, type)
        }

        /// The next record; `index` is behind it.
        private mutating func record() throws(Malformed) -> Record {
            let owner = try name(at: &index)
            let type = try uint16(at: index)
            let isInternet = try uint16(at: index + 2) == 1
            let seconds = try uint32(at: index + 4)
            let count = Int(try uint16(at: index + 8))
            let start = index + 10
            guard start + count <= bytes.count else { throw Malformed() }
            index = start + count
            return Record(
                owner: owner, type: type, isInternet: isInternet, seconds: seconds,
                data: start..<index)
        }

        /// The lifetime of "there is nothing": the zone's SOA record, its own lifetime or its last
        /// field, whichever is less (RFC 2308 §5).
        private mutating func negativeSeconds(
            _ authorities: UInt16
        ) throws(Malformed) -> UInt32? {
            for _ in 0..<authorities {
                let record = try record()
                guard record.type == RecordType.soa, record.data.count >= 4 else { continue }
                return min(record.seconds, try uint32(at: record.data.upperBound - 4))
            }
            return nil
        }

        private func host(
            _ family: AddressFamily, _ range: Range<Int>
        ) throws(Malformed) -> SocketAddress.Host {
            switch family {
            case .ipv4:
                guard range.count == 4 else { throw Malformed() }
                return .ipv4(try uint32(at: range.lowerBound, isLifetime: false))
            case .ipv6:
                guard range.count == 16 else { throw Malformed() }
                var words: [UInt64] = []
                for offset in stride(from: 0, to: 16, by: 4) {
                    words.append(
                        UInt64(try uint32(at: range.lowerBound + offset, isLifetime: false)))
                }
                return .ipv6(
                    high: words[0] << 32 | words[1], low: words[2] << 32 | words[3], scope: 0)
            }
        }

        /// A name in lower case; `at` is behind it. Pointers go backwards only (RFC 1035 §4.1.4),
        /// each before the last, so that no name is endless.
        private func name(at index: inout Int) throws(Malformed) -> [UInt8] {
            var name: [UInt8] = []
            var at = index
            var earliest = index
            var hasJumped = false
            while true {
                let length = Int(try byte(at: at))
                if length & 0xC0 == 0xC0 {
                    let target = (length & 0x3F) << 8 | Int(try byte(at: at + 1))
                    guard target < earliest else { throw Malformed() }
                    if !hasJumped { index = at + 2 }
                    hasJumped = true
                    earliest = target
                    at = target
                    continue
                }
                guard length < 64, name.count + length + 1 <= DNSMessage.mostNameBytes else {
                    throw Malformed()
                }
                name.append(UInt8(truncatingIfNeeded: length))
                for offset in 0..<length { name.append(Self.lower(try byte(at: at + 1 + offset))) }
                at += 1 + length
                if length == 0 { break }
            }
            if !hasJumped { index = at }
            return name
        }

        private static func lower(_ byte: UInt8) -> UInt8 {
            byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
        }

        private func byte(at index: Int) throws(Malformed) -> UInt8 {
            guard index < bytes.count else { throw Malformed() }
            return bytes[index]
        }

        private func uint16(at index: Int) throws(Malformed) -> UInt16 {
            guard index + 2 <= bytes.count else { throw Malformed() }
            return UInt16(bytes[index]) << 8 | UInt16(bytes[index + 1])
        }

        /// Four bytes. A lifetime with its first bit set is zero (RFC 2181 §8).
        private func uint32(at index: Int, isLifetime: Bool = true) throws(Malformed) -> UInt32 {
            let value = UInt32(try uint16(at: index)) << 16 | UInt32(try uint16(at: index + 2))
            return isLifetime && value > UInt32(Int32.max) ? 0 : value
        }
    }
}
