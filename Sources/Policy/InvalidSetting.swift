// What is wrong with a setting, as a fact; whoever takes the configuration makes an error of it.

/// A value of a policy's settings that makes no sense.
package struct InvalidSetting: Equatable, Sendable {
    /// The setting's path within its policy: `backoff.base`.
    package let key: String
    /// What it must be.
    package let reason: String

    package init(_ key: String, _ reason: String) {
        self.key = key
        self.reason = reason
    }

    /// The same, one level further out.
    package func within(_ outer: String) -> InvalidSetting {
        InvalidSetting(outer + "." + key, reason)
    }
}
