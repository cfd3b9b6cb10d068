module example.com/consumer

go 1.26.0

require (
	github.com/mobid-io/mid-go v1.0.0
	golang.org/x/oauth2 v0.37.0
)

require (
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	rsc.io/qr v0.2.0 // indirect
)

replace github.com/mobid-io/mid-go => ../../
