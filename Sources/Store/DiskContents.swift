// DiskContents: which resources a file may hold, so that most requests need not ask it. A value:
// made by whoever reads the file, used on the reactor's thread.
//
// It may say yes of what isn't there, which costs a look-up; of what is there it never says no.
// What is removed stays in it until it is made anew.

#if SQLite
    internal import FetchBytes
    internal import FetchHTTP

    struct DiskContents: Sendable {
        /// Bits for each resource: of a hundred that aren't there, less than two seem to be.
        private static let bitsEach = 16
        /// Room for so many, at least.
        private static let least = 16_384

        private var words: [UInt64]
        private let mask: UInt64
        private let key: DigestKey
        /// Resources that may still be added before too many others seem to be there.
        private(set) var room: Int

        /// Nothing, with room for so many.
        init(room: Int, key: DigestKey) {
            var bits = Self.least * Self.bitsEach
            while bits / Self.bitsEach < room { bits *= 2 }
            words = Array(repeating: 0, count: bits / 64)
            mask = UInt64(bits - 1)
            self.room = bits / Self.bitsEach
            self.key = key
        }

        /// A URI as the file names it.
        func resource(_ uri: Span<UInt8>) -> Int64 { DiskSeal.resource(uri, key) }

        mutating func insert(_ resource: Int64) {
            for bit in bits(resource) { words[Int(bit >> 6)] |= 1 << (bit & 63) }
            room -= 1
        }

        func mayHold(_ target: Target) -> Bool {
            let text = target.resourceText
            let utf8 = text.utf8
            return bits(resource(utf8.span)).allSatisfy {
                words[Int($0 >> 6)] & 1 << ($0 & 63) != 0
            }
        }

        /// The resource is a digest: any of its bits are as good as others.
        private func bits(_ resource: Int64) -> [UInt64] {
            let digest = UInt64(bitPattern: resource)
            return [digest & mask, digest >> 32 & mask]
        }
    }

    /// How far the contents of a file have been read.
    enum DiskScan {
        case none
        /// To be begun.
        case begin
        /// Resources after this one are still to be read.
        case all(after: Int64)
        /// What others stored after this entry.
        case recent(after: Int64)

        var isUnderWay: Bool {
            if case .none = self { return false }
            return true
        }
    }
#endif
