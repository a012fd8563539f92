// FilePath: whether a string names the file that the system would open. Pure; any thread.

package enum FilePath {
    /// Whether there is a NUL in a path. The system reads as far as that, and would open another
    /// file than the one that was named.
    package static func hasNUL(_ path: String) -> Bool { path.utf8.contains(0) }
}
