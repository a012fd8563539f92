# `make bench` measures, `make test` tests; each installs what Debian packages are missing first.

.PHONY: bench test

bench:
	.ci/install-packages run
	swift run -c release bench

test:
	.ci/install-packages test
	swift build
	swift test --disable-xctest
