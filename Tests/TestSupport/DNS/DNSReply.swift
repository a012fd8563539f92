// What a scripted name server is asked and what it answers, as values, and their bytes (RFC 1035
// §4). Any thread.

package import FetchTransport

/// A question as it came.
package struct DNSQuestion: Hashable, Sendable, CustomStringConvertible {
    /// In lower case, with dots, without one at the end.
    package let name: String
    /// A (1), AAAA (28) or another number.
    package let type: UInt16
    package let isOverTCP: Bool
    let id: UInt16
    /// The question section's bytes.
    let section: [UInt8]

    /// Reads a query; nil if it is none.
    package init?(_ bytes: [UInt8], isOverTCP: Bool) {
        guard bytes.count > 12, bytes[4] == 0, bytes[5] == 1 else { return nil }
        var labels: [String] = []
        var index = 12
        while index < bytes.count, bytes[index] != 0 {
            let end = index + 1 + Int(bytes[index])
            guard end < bytes.count else { return nil }
            labels.append(String(decoding: bytes[index + 1..<end], as: UTF8.self).lowercased())
            index = end
        }
        guard index + 5 <= bytes.count else { return nil }
        name = labels.joined(separator: ".")
        type = UInt16(bytes[index + 1]) << 8 | UInt16(bytes[index + 2])
        self.isOverTCP = isOverTCP
        id = UInt16(bytes[0]) << 8 | UInt16(bytes[1])
        section = Array(bytes[12..<index + 5])
    }

    package var isA: Bool { type == 1 }
    package var isAAAA: Bool { type == 28 }

    /// `A name` or `AAAA name`, and `/tcp`.
    package var description: String {
        let kind = isA ? "A" : isAAAA ? "AAAA" : "TYPE\(type)"
        return "\(kind) \(name)\(isOverTCP ? "/tcp" : "")"
    }
}

/// An answer to a question.
package struct DNSReply: Sendable {
    /// One record of the answer or authority section.
    package struct Record: Sendable {
        /// Nil for the name that was asked for, as a pointer to it.
        package var owner: String?
        package var type: UInt16
        package var seconds: UInt32
        package var data: [UInt8]

        package init(owner: String?, type: UInt16, seconds: UInt32, data: [UInt8]) {
            self.owner = owner
            self.type = type
            self.seconds = seconds
            self.data = data
        }
    }

    package var code: ResponseCode
    package var answers: [Record]
    package var authorities: [Record] = []
    package var isTruncated = false
    /// Added to the question's identifier.
    package var idOffset: UInt16 = 0

    package init(_ code: ResponseCode = .noError, _ answers: [Record] = []) {
        self.code = code
        self.answers = answers
    }

    /// Address records of the name that was asked for: those of the question's family.
    package static func addresses(
        _ literals: [String], seconds: UInt32 = 60, to question: DNSQuestion
    ) -> DNSReply {
        DNSReply(
            .noError,
            literals.compactMap { .address($0, seconds: seconds) }
                .filter { $0.type == question.type })
    }

    /// There is no such name; for so many seconds, if that is said.
    package static func noSuchName(seconds: UInt32? = nil) -> DNSReply {
        var reply = DNSReply(.nameError)
        if let seconds { reply.authorities = [.startOfAuthority(seconds: seconds)] }
        return reply
    }

    /// The message's bytes.
    package func bytes(to question: DNSQuestion) -> [UInt8] {
        var bytes = Self.big(question.id &+ idOffset)
        // A response, recursion asked for and available.
        bytes += [0x81 | (isTruncated ? 2 : 0), 0x80 | code.value, 0, 1]
        bytes += Self.big(UInt16(answers.count)) + Self.big(UInt16(authorities.count)) + [0, 0]
        bytes += question.section
        for record in answers + authorities {
            bytes += record.owner.map { Self.wire($0) } ?? [0xC0, 0x0C]
            bytes += Self.big(record.type) + [0, 1]
            bytes += Self.big(UInt16(record.seconds >> 16))
            bytes += Self.big(UInt16(truncatingIfNeeded: record.seconds))
            bytes += Self.big(UInt16(record.data.count)) + record.data
        }
        return bytes
    }

    static func big(_ number: UInt16) -> [UInt8] {
        [UInt8(number >> 8), UInt8(truncatingIfNeeded: number)]
    }

    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }
}

extension DNSReply.Record {
    /// An A or AAAA record; nil for what is no address.
    package static func address(
        _ literal: String, of owner: String? = nil, seconds: UInt32 = 60
    ) -> DNSReply.Record? {
        switch SocketAddress(literal: literal, port: 0)?.host {
        case .ipv4(let bits):
            let data = [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: bits >> $0) }
            return DNSReply.Record(owner: owner, type: 1, seconds: seconds, data: data)
        case .ipv6(let high, let low, _):
            let data = [high, low].flatMap { half in
                stride(from: UInt64(56), through: 0, by: -8).map {
                    UInt8(truncatingIfNeeded: half >> $0)
                }
            }
            return DNSReply.Record(owner: owner, type: 28, seconds: seconds, data: data)
        case nil:
            return nil
        }
    }

    /// An alias: `owner` is really called `name`.
    package static func alias(
        _ owner: String?, _ name: String, seconds: UInt32 = 60
    ) -> DNSReply.Record {
        DNSReply.Record(owner: owner, type: 5, seconds: seconds, data: DNSReply.wire(name))
    }

    /// A zone's SOA whose last field says how long "no such name" holds.
    package static func startOfAuthority(
        seconds: UInt32, lifetime: UInt32 = 3_600
    ) -> DNSReply.Record {
        var data = DNSReply.wire("ns.test") + DNSReply.wire("admin.test")
        for number in [1, 3_600, 600, 86_400, seconds] as [UInt32] {
            data += DNSReply.big(UInt16(number >> 16))
            data += DNSReply.big(UInt16(truncatingIfNeeded: number))
        }
        return DNSReply.Record(owner: "test", type: 6, seconds: lifetime, data: data)
    }
}
