// The options of names and trust, which hold for a URL and for lines of JSON alike. Decides; reads
// no file but the password's, and that once.

internal import ArgumentParser
internal import Fetch

struct NetworkArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Authorities to trust, in PEM, in place of the machine's.", valueName: "file"))
    var cacert: String?

    @Option(help: ArgumentHelp("The client's certificate, in PEM.", valueName: "file"))
    var cert: String?

    @Option(
        help: ArgumentHelp("Its key, where --cert's file does not hold it.", valueName: "file"))
    var key: String?

    @Option(help: ArgumentHelp("The key's password: this file's first line.", valueName: "file"))
    var passFile: String?

    @Flag(help: "Check nothing of a server's certificate.")
    var insecure = false

    @Option(
        help: ArgumentHelp(
            "Where to connect for a host and port; addresses with commas between, may be repeated.",
            valueName: "host:port:address"))
    var resolve: [String] = []

    @Option(
        help: ArgumentHelp(
            "A name server to ask in place of the machine's; may be repeated.",
            valueName: "address[:port]"))
    var dns: [String] = []

    @Flag(help: "Connect to addresses of the public Internet only.")
    var publicOnly = false

    func validate() throws {
        if cert == nil, key != nil { throw ValidationError("--key needs --cert.") }
        if cert == nil, passFile != nil { throw ValidationError("--pass-file needs --cert.") }
        if insecure, cacert != nil {
            throw ValidationError("--insecure and --cacert exclude each other.")
        }
        var checked = FetcherConfiguration()
        for text in resolve {
            guard let override = HostOverride(text) else {
                throw ValidationError("--resolve '\(text)' is not HOST:PORT:ADDRESS.")
            }
            checked.hostOverrides = [override.key: override.addresses]
            try check(checked, "--resolve '\(text)'")
        }
        for server in dns {
            checked.names.servers = [server]
            try check(checked, "--dns '\(server)'")
        }
    }

    /// What the library thinks of an option's value.
    private func check(_ configuration: FetcherConfiguration, _ option: String) throws {
        do {
            try configuration.validate()
        } catch {
            throw ValidationError("\(option): \((error as? FetchError)?.reason ?? "\(error)")")
        }
    }

    /// Says to a client what the options say. It throws if the password's file can't be read.
    func apply(to configuration: inout FetcherConfiguration) throws(CommandExit) {
        if let cacert { configuration.tls.trust = .file(cacert) }
        if let cert {
            configuration.tls.identity = TLSConfiguration.Identity(
                certificate: .file(cert), key: .file(key ?? cert), password: try password())
        }
        if insecure { configuration.tls.verification = .none }
        // As other clients on a command line: who sets SSLKEYLOGFILE wants the secrets.
        configuration.tls.keyLog = .environment
        for override in resolve.compactMap(HostOverride.init) {
            configuration.hostOverrides[override.key, default: []] += override.addresses
        }
        if !dns.isEmpty { configuration.names.servers = dns }
        if publicOnly { configuration.addressPolicy = .publicInternetOnly }
    }

    /// Read at the start: the file may be a pipe, which says its word once.
    private func password() throws(CommandExit) -> TLSConfiguration.Password? {
        guard let passFile else { return nil }
        let line = try PasswordFile.firstLine(of: passFile)
        return TLSConfiguration.Password { line }
    }
}

/// `HOST:PORT:ADDRESS[,ADDRESS…]`, as the library's host overrides want it. Pure.
package struct HostOverride: Equatable, Sendable {
    /// `host:port`, the host in lower case.
    package let key: String
    package let addresses: [String]

    /// Nil for what has another form; whether addresses are some is the library's to judge.
    package init?(_ text: String) {
        guard let (host, rest) = HostOverride.host(of: text[...]),
            let colon = rest.firstIndex(of: ":"), let port = UInt16(rest[..<colon]), port > 0
        else { return nil }
        key = "\(host.lowercased()):\(port)"
        addresses = rest[rest.index(after: colon)...]
            .split(separator: ",", omittingEmptySubsequences: false)
            .map { HostOverride.withoutBrackets($0) }
    }

    /// The host, without the brackets of an IPv6 address, and what stands behind its colon. Hosts
    /// outside ASCII are looked up in their ASCII form, so another one would never be found.
    private static func host(of text: Substring) -> (host: Substring, rest: Substring)? {
        guard let first = text.first else { return nil }
        let end = first == "[" ? text.firstIndex(of: "]").map(text.index(after:)) : text.startIndex
        guard let end, let colon = text[end...].firstIndex(of: ":"),
            first != "[" || colon == end
        else { return nil }
        let host = first == "[" ? text[..<colon].dropFirst().dropLast() : text[..<colon]
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return (host, text[text.index(after: colon)...])
    }

    private static func withoutBrackets(_ text: Substring) -> String {
        guard text.hasPrefix("["), text.hasSuffix("]") else { return String(text) }
        return String(text.dropFirst().dropLast())
    }
}
