// Host names outside ASCII in their ASCII form (RFC 5891, mapped as Unicode's TR46 says), by
// libidn2. Pure; any thread. Without the IDN trait nothing is converted, and callers say so.

#if IDN
    internal import CFetchIdn2
#endif

package enum InternationalName {
    /// Most bytes of a name that are looked at; a host name's ASCII form has 253 at most.
    package static let mostBytes = 2_048

    /// Whether this build can convert names at all.
    package static var isSupported: Bool {
        #if IDN
            true
        #else
            false
        #endif
    }

    /// The `xn--` form of a name in UTF-8, in lower case; nil if it has none. It is ASCII and
    /// nothing more is said of it: `１２７.1` becomes `127.1`.
    package static func ascii(_ name: [UInt8]) -> [UInt8]? {
        #if IDN
            guard name.count <= mostBytes, !name.contains(0) else { return nil }
            var ascii: UnsafeMutablePointer<UInt8>?
            // libidn2 reads up to the zero during the call, and hands over a string that is ours to
            // free.
            let status = unsafe fetch_idn2_lookup(name + [0], &ascii)
            guard status == 0, let text = unsafe ascii else { return nil }
            defer { unsafe idn2_free(text) }
            var bytes: [UInt8] = []
            var index = 0
            // The string ends with a zero.
            while unsafe text[index] != 0 {
                bytes.append(unsafe text[index])
                index += 1
            }
            return bytes
        #else
            nil
        #endif
    }
}
