// A set of up to 64 endpoints. A value.

package struct EndpointSet: OptionSet, Hashable, Sendable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// The set of one endpoint, 0 ..< 64.
    package init(_ endpoint: Int) { self.init(rawValue: 1 &<< UInt64(endpoint & 63)) }

    package var count: Int { rawValue.nonzeroBitCount }
}
