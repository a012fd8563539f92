// The room's first stone; see docs/architecture.md for what stands here.
