// The three variables of the process's environment that TLS knows. A value; read when a context is
// made.
//
// Unsafe: the environment's strings are copied at once.

internal import CFetchOpenSSL

/// What the environment says.
package struct TLSEnvironment: Equatable, Sendable {
    /// SSL_CERT_FILE: authorities in one file.
    package var certificateFile: String?
    /// SSL_CERT_DIR: authorities in directories, separated by colons.
    package var certificateDirectories: String?
    /// SSLKEYLOGFILE: where secrets are written, for those who ask for it.
    package var keyLogFile: String?

    package init() {}

    /// The process's own. A program with more rights than its caller takes no advice from the
    /// caller (secure_getenv(3)); a variable that is empty says nothing.
    package static var ofProcess: TLSEnvironment {
        var environment = TLSEnvironment()
        environment.certificateFile = value("SSL_CERT_FILE")
        environment.certificateDirectories = value("SSL_CERT_DIR")
        environment.keyLogFile = value("SSLKEYLOGFILE")
        return environment
    }

    private static func value(_ name: String) -> String? {
        guard let value = unsafe secure_getenv(name), unsafe value.pointee != 0 else { return nil }
        return unsafe String(cString: value)
    }
}
