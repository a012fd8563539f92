// The authorities of a configuration as an X509_STORE. Made when a context is made and when its
// trust is reloaded; reads files and the environment then, and only then (a directory that is
// named by hash is read by OpenSSL when a certificate of it is needed).
//
// Unsafe: stores, certificates and BIOs are OpenSSL's objects, freed in the function that makes
// them or handed to the caller, which its comment says. Strings live during the calls.

internal import CFetchOpenSSL
internal import FetchBytes
internal import Glibc

struct TrustStore {
    /// An X509_STORE that the caller owns, with the authorities of `trust`; if there are revocation
    /// lists, every chain is held against them.
    static func make(
        _ trust: TLSConfiguration.Trust, revokedBy lists: [TLSConfiguration.PEM],
        _ environment: TLSEnvironment
    ) throws(TLSFailure) -> OpaquePointer {
        guard let store = unsafe X509_STORE_new() else { throw .other(OpenSSLErrors.takeWords()) }
        // Whoever names a certificate trusts it, be it a root or not.
        unsafe X509_STORE_set_flags(store, UInt(X509_V_FLAG_PARTIAL_CHAIN))
        do throws(TLSFailure) {
            for source in trust.sources { try unsafe add(source, environment, to: store) }
            for list in lists { try unsafe addRevocations(list, to: store) }
        } catch {
            unsafe X509_STORE_free(store)
            throw error
        }
        OpenSSLErrors.clear()
        return unsafe store
    }

    private static func add(
        _ source: TLSConfiguration.Trust.Source, _ environment: TLSEnvironment,
        to store: OpaquePointer
    ) throws(TLSFailure) {
        switch source {
        case .system:
            try unsafe addSystem(environment, to: store)
        case .file(let path):
            guard unsafe addFile(path, to: store) else {
                throw .badTrust(source: path, reason: OpenSSLErrors.takeWords())
            }
        case .directory(let path):
            guard unsafe addDirectory(path, to: store) else {
                throw .badTrust(source: path, reason: "no certificate in this directory")
            }
        case .pem(let bytes):
            guard unsafe addPEM(bytes, to: store) else {
                throw .badTrust(source: "PEM text", reason: "no certificate in it")
            }
        }
    }

    /// A chain that is not covered by the lists must not pass: who gave one wants to know.
    private static func addRevocations(
        _ pem: TLSConfiguration.PEM, to store: OpaquePointer
    ) throws(TLSFailure) {
        let source: String
        if case .file(let path) = pem { source = path } else { source = "PEM text" }
        let bytes: Bytes
        switch PEMReader.bytes(of: pem, limit: revocationBytes) {
        case .success(let read): bytes = read
        case .failure(let failure): throw .badTrust(source: source, reason: "\(failure)")
        }
        let lists = unsafe PEMReader.revocationLists(in: bytes)
        defer { unsafe lists.forEach { unsafe X509_CRL_free($0) } }
        guard unsafe !lists.isEmpty else {
            throw .badTrust(source: source, reason: "no revocation list in it")
        }
        // The store takes a reference of its own.
        unsafe lists.forEach { _ = unsafe X509_STORE_add_crl(store, $0) }
        let flags = X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL
        unsafe X509_STORE_set_flags(store, UInt(flags))
    }

    /// A revocation list of a large authority has some hundred thousand entries.
    private static let revocationBytes = 64 << 20

    // MARK: The machine's store

    /// Where distributions keep all authorities in one file, if OpenSSL doesn't know: Debian,
    /// Fedora, openSUSE, Alpine.
    private static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem",
    ]

    /// What the environment names takes the place of the machine's store, the whole of it: somebody
    /// who names one authority must not be served under another.
    private static func addSystem(
        _ environment: TLSEnvironment, to store: OpaquePointer
    ) throws(TLSFailure) {
        let file = environment.certificateFile
        let directories = environment.certificateDirectories
        var tried: [String] = []
        var isFound = false
        if file != nil || directories != nil {
            for directory in (directories ?? "").split(separator: ":") {
                tried.append(String(directory))
                if unsafe addDirectory(String(directory), to: store) { isFound = true }
            }
            if let file {
                tried.append(file)
                if unsafe addFile(file, to: store) { isFound = true }
            }
        } else {
            isFound = unsafe addDefaults(to: store, &tried)
        }
        OpenSSLErrors.clear()
        guard isFound else { throw .noTrustStore(tried: tried) }
    }

    /// The directory first: it costs nothing until a certificate is looked for, whereas a bundle
    /// of 150 certificates is 10 to 20 ms.
    private static func addDefaults(to store: OpaquePointer, _ tried: inout [String]) -> Bool {
        let directory = unsafe String(cString: X509_get_default_cert_dir())
        tried.append(directory)
        if isNamedByHash(directory) {
            return unsafe X509_STORE_load_path(store, directory) == 1
        }
        let file = unsafe String(cString: X509_get_default_cert_file())
        for path in [file] + bundles {
            tried.append(path)
            if unsafe addFile(path, to: store) { return true }
        }
        return false
    }

    // MARK: Sources

    private static func addFile(_ path: String, to store: OpaquePointer) -> Bool {
        OpenSSLErrors.clear()
        return unsafe X509_STORE_load_file(store, path) == 1
    }

    private static func addPEM(_ bytes: Bytes, to store: OpaquePointer) -> Bool {
        let certificates = unsafe PEMReader.certificates(in: bytes)
        defer { unsafe certificates.forEach { unsafe X509_free($0) } }
        // The store takes a reference of its own; one that is there already is no failure.
        unsafe certificates.forEach { _ = unsafe X509_STORE_add_cert(store, $0) }
        return unsafe !certificates.isEmpty
    }

    private static func addDirectory(_ path: String, to store: OpaquePointer) -> Bool {
        if isNamedByHash(path) { return unsafe X509_STORE_load_path(store, path) == 1 }
        var isFound = false
        for name in names(in: path) where !name.hasPrefix(".") {
            if unsafe addFile("\(path)/\(name)", to: store) { isFound = true }
        }
        OpenSSLErrors.clear()
        return isFound
    }

    /// Whether a name is eight hexadecimal digits, a dot and a number, as `9a8b7c6d.0`.
    private static func isNamedByHash(_ path: String) -> Bool {
        names(in: path).contains { name in
            let bytes = Array(name.utf8)
            guard bytes.count >= 10, bytes[8] == UInt8(ascii: ".") else { return false }
            return bytes[..<8].allSatisfy { isHexDigit($0) }
                && bytes[9...].allSatisfy { (0x30...0x39).contains($0) }
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte)
    }

    /// What a directory holds; nothing if it can't be read.
    private static func names(in path: String) -> [String] {
        guard let directory = unsafe opendir(path) else { return [] }
        defer { unsafe closedir(directory) }
        var names: [String] = []
        while let entry = unsafe readdir(directory) {
            // d_name ends with a NUL inside the entry, which lives until the next readdir.
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            names.append(name)
        }
        return names
    }
}
