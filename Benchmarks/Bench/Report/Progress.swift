// What is said while a load runs, on stderr: a line that is rewritten, if stderr is a terminal;
// otherwise only what `say` is told. Main thread.

import Glibc

/// The progress line.
struct Progress {
    private let isTerminal = isatty(STDERR_FILENO) == 1

    /// What a measurement begins with: Ctrl-C ends it in order, and a debug build is told of.
    @discardableResult
    static func begin() -> Progress {
        Interruption.install()
        let progress = Progress()
        progress.warnOfDebugBuild()
        return progress
    }

    /// A debug build measures the debug build.
    func warnOfDebugBuild() {
        #if DEBUG
            say(
                """
                ****************************************************************
                *  THIS IS A DEBUG BUILD: its figures say nothing about speed.  *
                *  Use: swift run -c release bench                              *
                ****************************************************************
                """)
        #endif
    }

    /// Rewrites the line; nothing where stderr is no terminal.
    func update(_ text: String) {
        guard isTerminal else { return }
        writeAll(STDERR_FILENO, "\r\u{1B}[K" + text)
    }

    /// A line that stays.
    func say(_ text: String) {
        writeAll(STDERR_FILENO, (isTerminal ? "\r\u{1B}[K" : "") + text + "\n")
    }

    /// Takes the rewritten line away, before something is printed elsewhere.
    func clear() {
        if isTerminal { writeAll(STDERR_FILENO, "\r\u{1B}[K") }
    }
}

/// Writes all of it; gives up on an error, for then nobody reads.
@discardableResult
func writeAll(_ descriptor: CInt, _ text: String) -> Bool {
    var rest = ArraySlice(text.utf8)
    while !rest.isEmpty {
        // The kernel reads within the slice during the call.
        let wrote = unsafe rest.withUnsafeBytes {
            unsafe write(descriptor, $0.baseAddress, $0.count)
        }
        if wrote < 0 && errno == EINTR { continue }
        guard wrote > 0 else { return false }
        rest = rest.dropFirst(wrote)
    }
    return true
}
