// A system call that failed, as bench reports it: which call, which errno. Bench's own rim only;
// the library has its own errors. Any thread.

import Glibc

/// The call that failed and errno as it was then.
struct SystemFailure: Error, CustomStringConvertible {
    let call: String
    let code: CInt

    init(_ call: String, code: CInt = errno) {
        self.call = call
        self.code = code
    }

    var description: String {
        // `strerror` answers a C string that lives until the next call on this thread; copied here.
        let text = unsafe strerror(code).map { unsafe String(cString: $0) } ?? "errno \(code)"
        return "\(call): \(text)"
    }
}

/// The result of a call that answers -1 on failure.
@discardableResult
func check(_ result: CInt, _ call: String) throws -> CInt {
    guard result >= 0 else { throw SystemFailure(call) }
    return result
}
