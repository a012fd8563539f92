// Which part of a host's name was registered by somebody, by the public suffix list that is built
// into libpsl: what limits and cookies of sub-domains are held against. Pure; any thread. Without
// the PublicSuffix trait no list is known, and callers say so.

#if PublicSuffix
    internal import CFetchPsl
#endif

package enum PublicSuffix {
    /// Most bytes of a name that are looked at; a host name has 253 at most, and perhaps a dot.
    package static let mostBytes = 254

    /// Whether this build knows the list.
    package static var isSupported: Bool {
        #if PublicSuffix
            true
        #else
            false
        #endif
    }

    /// The registrable domain of a host: its public suffix and one label more, in lower case and
    /// without a dot at the end: `example.co.uk` of `www.example.co.uk`.
    ///
    /// A suffix that is not on the list counts as one label, as the list's own algorithm says: so
    /// hosts of private names (`a.example.test`) have a registrable domain too. Suffixes that
    /// companies have entered for their customers (`github.io`) count like those of registries.
    ///
    /// Nil for a host that has none: an address of either family, in brackets or not, a name whose
    /// last label is a number (RFC 1123 §2.1 leaves those to addresses), a public suffix itself, a
    /// single label, an empty label, a name that is too long; and where no list is known. Hosts
    /// outside ASCII are expected in their `xn--` form.
    package static func registrableDomain(of host: String) -> String? {
        #if PublicSuffix
            guard let name = canonical(host) else { return nil }
            // The name ends with the zero that libpsl reads up to, and it gives back a place in the
            // name: both are alive here.
            return unsafe name.withUnsafeBufferPointer { name in
                guard let start = name.baseAddress,
                    let found = unsafe fetch_psl_registrable_domain(start)
                else { return nil }
                return unsafe String(cString: found)
            }
        #else
            return nil
        #endif
    }

    /// The name's bytes in lower case and a zero behind them; nil for what is no name of a domain.
    private static func canonical(_ host: String) -> [CChar]? {
        var bytes = Array(host.utf8.prefix(mostBytes + 1))
        guard bytes.count <= mostBytes else { return nil }
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        var labelStart = 0
        var name: [CChar] = []
        name.reserveCapacity(bytes.count + 1)
        for (index, byte) in bytes.enumerated() {
            switch byte {
            case UInt8(ascii: "."):
                guard index > labelStart else { return nil }
                labelStart = index + 1
            // Zero would end the name early; brackets and colons are an address's.
            case 0...0x20, 0x7F..., UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"):
                return nil
            default:
                break
            }
            let isUpperCase = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            name.append(CChar(isUpperCase ? byte | 0x20 : byte))
        }
        let last = bytes[labelStart...]
        let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
        guard labelStart > 0, !last.isEmpty, !last.allSatisfy(digits.contains) else { return nil }
        return name + [0]
    }
}
