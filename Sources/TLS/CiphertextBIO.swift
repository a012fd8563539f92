// OpenSSL's way to the outside: a BIO (bio(7)) over the buffers that a session is handed with each
// call. Ciphertext is taken out of the one and appended to the other, without the queues of memory
// BIOs between; docs/decisions/0006 has the figures. Never a socket: OpenSSL's own writes would
// raise SIGPIPE.
//
// Unsafe: `Wire` is allocated by a session, outlives its SSL and BIO, and holds pointers only
// while a call into OpenSSL lasts, during which the buffers are alive and nobody else uses them.

internal import CFetchOpenSSL
internal import FetchBytes

/// What stands behind a session's BIO during a call.
@unsafe struct Wire {
    /// Ciphertext that has arrived and was not taken yet.
    var input: UnsafeRawPointer?
    var inputCount = 0
    /// How much of it was taken.
    var taken = 0
    /// Where ciphertext goes.
    var output: Unmanaged<ByteBuffer>?
}

enum CiphertextBIO {
    /// A BIO_METHOD, which the caller frees when no BIO of it is left.
    static func makeMethod() -> OpaquePointer? {
        let method = unsafe BIO_meth_new(CInt(BIO_TYPE_SOURCE_SINK), "ciphertext")
        unsafe BIO_meth_set_read(method, takeCiphertext)
        unsafe BIO_meth_set_write(method, giveCiphertext)
        unsafe BIO_meth_set_ctrl(method, control)
        return unsafe method
    }

    /// A BIO over `wire`, which the caller owns.
    static func make(_ method: OpaquePointer, _ wire: UnsafeMutablePointer<Wire>) -> OpaquePointer?
    {
        guard let bio = unsafe BIO_new(method) else { return nil }
        unsafe BIO_set_data(bio, wire)
        unsafe BIO_set_init(bio, 1)
        return unsafe bio
    }
}

/// Copies what has arrived; asks to be called again when there is nothing. The end of the input is
/// the session's business: it is never told here, so OpenSSL can't take it for an error.
private func takeCiphertext(
    _ bio: OpaquePointer?, _ space: UnsafeMutablePointer<CChar>?, _ size: CInt
) -> CInt {
    unsafe fetch_BIO_clear_retry_flags(bio)
    guard let space = unsafe space, size > 0, let data = unsafe BIO_get_data(bio) else { return 0 }
    let wire = unsafe data.assumingMemoryBound(to: Wire.self)
    let count = unsafe min(Int(size), wire.pointee.inputCount - wire.pointee.taken)
    guard count > 0, let input = unsafe wire.pointee.input else {
        unsafe fetch_BIO_set_retry_read(bio)
        return -1
    }
    unsafe UnsafeMutableRawPointer(space)
        .copyMemory(from: input + wire.pointee.taken, byteCount: count)
    unsafe wire.pointee.taken += count
    return CInt(count)
}

/// Takes everything: whoever called the session sends it.
private func giveCiphertext(
    _ bio: OpaquePointer?, _ bytes: UnsafePointer<CChar>?, _ count: CInt
) -> CInt {
    unsafe fetch_BIO_clear_retry_flags(bio)
    guard let bytes = unsafe bytes, count > 0, let data = unsafe BIO_get_data(bio) else { return 0 }
    let wire = unsafe data.assumingMemoryBound(to: Wire.self)
    guard let output = unsafe wire.pointee.output else { return -1 }
    unsafe output._withUnsafeGuaranteedRef { buffer in
        unsafe buffer.withFreeSpace(atLeast: Int(count)) { space in
            unsafe space.baseAddress?.copyMemory(from: bytes, byteCount: Int(count))
            return (written: Int(count), result: ())
        }
    }
    return count
}

/// A flush has nothing to do; nothing else is known here.
private func control(
    _ bio: OpaquePointer?, _ command: CInt, _ number: CLong, _ pointer: UnsafeMutableRawPointer?
) -> CLong {
    command == BIO_CTRL_FLUSH ? 1 : 0
}
