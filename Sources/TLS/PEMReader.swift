// Certificates and keys out of PEM (RFC 7468). Used when a context is made.
//
// Unsafe: a BIO over bytes lives in the function that makes it, as long as the bytes do; what is
// read out of it belongs to the caller, as each comment says.

internal import CFetchOpenSSL
internal import FetchBytes
internal import Glibc

enum PEMReader {
    /// The bytes of a PEM, or why the file can't be read; `limit` bytes at most.
    static func bytes(
        of pem: TLSConfiguration.PEM, limit: Int = 16 << 20
    ) -> Result<Bytes, ReadFailure> {
        guard case .file(let path) = pem else {
            if case .bytes(let bytes) = pem { return .success(bytes) }
            return .success(Bytes())
        }
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return .failure(ReadFailure(errno)) }
        defer { _ = close(descriptor) }
        var all: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe read(descriptor, &block, block.count)
            if count < 0 { return .failure(ReadFailure(errno)) }
            if count == 0 { break }
            all += block[..<count]
            if all.count > limit { return .failure(ReadFailure(EFBIG)) }
        }
        return .success(Bytes(all))
    }

    /// An errno, in words.
    struct ReadFailure: Error, CustomStringConvertible {
        let description: String

        init(_ number: CInt) {
            // Read before anybody calls strerror again.
            description = unsafe String(cString: strerror(number))
        }
    }

    /// Every certificate in the text, in order; the caller frees them.
    static func certificates(in bytes: Bytes) -> [OpaquePointer] {
        var certificates: [OpaquePointer] = unsafe []
        unsafe withBIO(over: bytes) { bio in
            while let certificate = unsafe PEM_read_bio_X509_AUX(bio, nil, nil, nil) {
                unsafe certificates.append(certificate)
            }
        }
        // The last read found the text's end, which is no error here.
        OpenSSLErrors.clear()
        return unsafe certificates
    }

    /// Every certificate revocation list in the text, in order; the caller frees them.
    static func revocationLists(in bytes: Bytes) -> [OpaquePointer] {
        var lists: [OpaquePointer] = unsafe []
        unsafe withBIO(over: bytes) { bio in
            while let list = unsafe PEM_read_bio_X509_CRL(bio, nil, nil, nil) {
                unsafe lists.append(list)
            }
        }
        // As above.
        OpenSSLErrors.clear()
        return unsafe lists
    }

    /// An EVP_PKEY, which the caller frees.
    static func key(
        in bytes: Bytes, _ password: TLSConfiguration.Password?
    ) throws(TLSFailure.KeyFault) -> OpaquePointer {
        let question = PasswordQuestion(password)
        var key: OpaquePointer?
        OpenSSLErrors.clear()
        unsafe withBIO(over: bytes) { bio in
            // The question outlives the call, which asks it and keeps nothing.
            let context = unsafe Unmanaged.passUnretained(question).toOpaque()
            unsafe key = PEM_read_bio_PrivateKey(bio, nil, askForPassword, context)
        }
        if let key = unsafe key { return unsafe key }
        let words = OpenSSLErrors.takeWords(orElse: noKey)
        guard question.wasAsked else {
            // OpenSSL says "unsupported" of whatever it finds no key in.
            throw .unreadable(reason: namesKey(bytes.span) ? words : noKey)
        }
        throw question.wasAnswered ? .wrongPassword : .passwordMissing
    }

    private static let noKey = "no private key in it"

    /// Whether a line announces a private key of any kind: each of their labels ends like this (RFC
    /// 7468 sections 10 and 11, and OpenSSL's own).
    private static func namesKey(_ text: Span<UInt8>) -> Bool {
        let label = Array("PRIVATE KEY-----".utf8)
        var matched = 0
        for index in 0..<text.count {
            // No byte but the first is a P, so what matched so far begins nowhere inside.
            matched = text[index] == label[matched] ? matched + 1 : text[index] == label[0] ? 1 : 0
            if matched == label.count { return true }
        }
        return false
    }

    private static func withBIO(over bytes: Bytes, _ body: (OpaquePointer) -> Void) {
        unsafe bytes.withUnsafeBytes { all in
            guard let start = all.baseAddress,
                let bio = unsafe BIO_new_mem_buf(start, CInt(clamping: all.count))
            else { return }
            unsafe body(bio)
            unsafe BIO_free(bio)
        }
    }
}

/// What happened when OpenSSL wanted a password.
private final class PasswordQuestion {
    private let password: TLSConfiguration.Password?
    private(set) var wasAsked = false
    private(set) var wasAnswered = false

    init(_ password: TLSConfiguration.Password?) {
        self.password = password
    }

    func ask() -> [UInt8]? {
        wasAsked = true
        guard let answer = password?.answer() else { return nil }
        wasAnswered = true
        return Array(answer.utf8)
    }
}

/// pem_password_cb: writes the password into `space` and returns its length, or -1 for none. A
/// longer one than fits can't be right.
private func askForPassword(
    _ space: UnsafeMutablePointer<CChar>?, _ size: CInt, _ isWriting: CInt,
    _ context: UnsafeMutableRawPointer?
) -> CInt {
    guard let space = unsafe space, let context = unsafe context,
        let answer = unsafe Unmanaged<PasswordQuestion>.fromOpaque(context)
            .takeUnretainedValue().ask(),
        answer.count <= Int(size)
    else { return -1 }
    for (index, byte) in answer.enumerated() { unsafe space[index] = CChar(bitPattern: byte) }
    return CInt(answer.count)
}
