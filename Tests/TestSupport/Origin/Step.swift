// What a scripted origin does about one request: a list of steps, obeyed in order. Values, any
// thread.

package import FetchBytes

/// One thing the origin does. A step begins when what the steps before it say has been handed to
/// the network; neighbours that only say something go out together.
package enum Step: Sendable {
    /// A whole response with Content-Length, where the status may have content. No body to HEAD.
    case respond(Int, fields: [(String, String)] = [], body: Bytes = Bytes())
    /// A response's head as given, nothing added: what follows is the script's business.
    case head(Int, fields: [(String, String)] = [])
    /// An interim response (RFC 9110 §15.2).
    case informational(Int, fields: [(String, String)] = [])
    /// A whole response in the chunked coding, one chunk an element.
    case chunked([Bytes], fields: [(String, String)] = [], trailers: [(String, String)] = [])
    /// A response that only the end of the connection ends; it closes.
    case closeDelimited(Bytes, fields: [(String, String)] = [])
    /// Says Content-Length for all of the body, sends so many bytes of it and closes.
    case truncate(Bytes, after: Int)
    /// A response whose body is so many bytes of ``BodyPattern``, in flat memory.
    case generate(Int, fields: [(String, String)] = [])
    /// So many bytes of ``BodyPattern`` and nothing else, in flat memory. None to HEAD.
    case pattern(Int)
    /// The request back as JSON: method, target, fields, body, trailers, connection, number.
    case echo
    /// What became of the upload as JSON: its bytes and whether they follow ``BodyPattern``.
    case tally
    /// These bytes, whatever they are.
    case raw(Bytes)
    /// These bytes one at a time, so far apart.
    case drip(Bytes, every: Duration)
    /// The next head says `Keep-Alive: timeout=seconds`.
    case keepAliveHint(Int)
    case delay(Duration)
    /// Goes on when the whole request has come; its body is counted and thrown away.
    case swallow
    /// Reads no further until `resumeReading`: the peer's window fills.
    case stopReading
    case resumeReading
    /// An orderly end.
    case close
    /// An RST.
    case reset
    /// Says nothing more until the peer goes.
    case hang
}

extension Step {
    /// Plain text with Content-Length.
    package static func text(
        _ body: String, status: Int = 200, fields: [(String, String)] = []
    ) -> Step {
        .respond(status, fields: [("Content-Type", "text/plain")] + fields, body: Bytes(body))
    }

    /// Bytes written as a string: `.raw("HTTP/1.1 200 OK\r\n\r\n")`.
    package static func raw(_ text: String) -> Step {
        .raw(Bytes(text))
    }

    /// Bytes after a response that nobody asked for. The same as `raw`; the name says why.
    package static func extraBytes(_ text: String) -> Step {
        .raw(Bytes(text))
    }
}

/// What an origin does about every request. Called on the origin's reactor.
package struct Script: Sendable {
    package typealias Plan = @Sendable (SeenRequest) -> [Step]

    /// Asked when a request's head has come. Steps mean: begin now, whatever of the body is still
    /// on its way is counted and thrown away. nil means: ask `whole` once the body has come.
    package var early: @Sendable (SeenRequest) -> [Step]?
    /// Asked when all of a request has come.
    package var whole: Plan

    package init(
        early: @escaping @Sendable (SeenRequest) -> [Step]? = { _ in nil },
        whole: @escaping Plan
    ) {
        self.early = early
        self.whole = whole
    }

    /// Answers whole requests.
    package init(_ plan: @escaping Plan) {
        self.init(whole: plan)
    }

    /// Answers as soon as the head has come; `.swallow` waits for the body.
    package static func atHead(_ plan: @escaping Plan) -> Script {
        Script(early: { plan($0) }, whole: { _ in [] })
    }

    /// The n-th request the origin sees gets the n-th list; later ones get the last again.
    package static func sequence(_ lists: [[Step]]) -> Script {
        Script { request in
            lists.isEmpty ? [] : lists[min(request.number, lists.count - 1)]
        }
    }

    /// The same steps every time.
    package static func always(_ steps: Step...) -> Script {
        Script { _ in steps }
    }
}
