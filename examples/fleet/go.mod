module github.com/mobid-io/mid-go/examples/fleet

go 1.26.0

replace (
	github.com/mobid-io/mid-go => ../../
	github.com/mobid-io/mid-go/midredis => ../../midredis
)

require (
	github.com/mobid-io/mid-go v1.0.0
	github.com/mobid-io/mid-go/midredis v1.0.0
	github.com/redis/go-redis/v9 v9.23.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	github.com/hashicorp/go-cleanhttp v0.5.2 // indirect
	github.com/hashicorp/go-retryablehttp v0.7.8 // indirect
	go.uber.org/atomic v1.12.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
	golang.org/x/oauth2 v0.37.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	rsc.io/qr v0.2.0 // indirect
)
