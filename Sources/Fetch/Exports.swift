// One `import Fetch` brings what the public face speaks of: bytes, header fields, policies, the
// reactor, and the ecosystem's HTTP types.

@_exported public import FetchBytes
@_exported public import FetchHTTP
@_exported public import FetchPolicy
@_exported public import FetchReactor
@_exported public import FetchStore
@_exported public import FetchTLS
@_exported public import FetchTransport
@_exported public import FetchTime
@_exported public import HTTPTypes
