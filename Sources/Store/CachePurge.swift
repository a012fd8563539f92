// CachePurge: what an owner wants forgotten. A value; any thread.

package import FetchHTTP

package enum CachePurge: Equatable, Sendable {
    /// Everything that is stored for this URI, for whomever.
    case resource(Target)
    /// Everything whose URI, as `Target.resourceText` spells it, begins like this.
    case prefix(String)
    case everything
}
