// What is asked: a request that was validated, with the clocks and bounds it runs under. Values of
// any thread.

package import FetchHTTP
package import FetchHTTP1

/// What is asked. Validated before it gets here.
package struct CallPlan: Sendable {
    package let method: Method
    package let target: Target
    /// Nil for the many requests that are nothing but method and target.
    let extras: CallExtras?
    let clocks: SharedClocks
    /// The largest whole body that is accepted; ignored for a streamed one.
    let bodyLimit: Int

    /// The plan of a request without fields and content.
    package init(_ method: Method, _ target: Target, clocks: SharedClocks, bodyLimit: Int) {
        self.method = method
        self.target = target
        extras = nil
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }

    package init(
        head: RequestHead, content: RequestContent, clocks: SharedClocks, bodyLimit: Int
    ) {
        method = head.method
        target = head.target
        extras =
            head.headers.isEmpty && head.body == .none
            ? nil
            : CallExtras(
                headers: head.headers, length: head.body, saysClose: head.saysClose,
                content: content)
        self.clocks = clocks
        self.bodyLimit = bodyLimit
    }
}

/// What a request has beside method and target.
final class CallExtras: Sendable {
    let headers: Headers
    let length: RequestBodyLength
    /// `Connection: close` was asked for.
    let saysClose: Bool
    let content: RequestContent

    init(headers: Headers, length: RequestBodyLength, saysClose: Bool, content: RequestContent) {
        self.headers = headers
        self.length = length
        self.saysClose = saysClose
        self.content = content
    }
}
