package midredis_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// startSentinel starts a sentinel that watches a master, and decides by itself.
func startSentinel(t *testing.T, name, master string) *redisServer {
	t.Helper()
	host, port, err := net.SplitHostPort(master)
	require.NoError(t, err)
	config := filepath.Join(t.TempDir(), "sentinel.conf")
	require.NoError(t, os.WriteFile(config, fmt.Appendf(nil, "sentinel monitor %[1]s %[2]s %[3]s 1\nsentinel down-after-milliseconds %[1]s 1000\nsentinel failover-timeout %[1]s 5000\n",
		name, host, port), 0o600))
	s := &redisServer{addr: freeAddr(t), config: config, args: []string{"--sentinel"}}
	s.start(t)
	t.Cleanup(s.stop)
	return s
}

// redisCluster is some servers that are one cluster.
type redisCluster []*redisServer

// startCluster starts a cluster, half of whose nodes are replicas.
func startCluster(t *testing.T, nodes int) redisCluster {
	t.Helper()
	var c redisCluster
	args := []string{"--cluster", "create"}
	for range nodes {
		s := &redisServer{addr: freeClusterAddr(t), args: []string{"--cluster-enabled", "yes", "--cluster-node-timeout", "2000", "--repl-diskless-sync-delay", "0"}}
		s.start(t)
		t.Cleanup(s.stop)
		c, args = append(c, s), append(args, s.addr)
	}
	output, err := exec.Command("redis-cli", append(args, "--cluster-replicas", "1", "--cluster-yes")...).CombinedOutput()
	require.NoError(t, err, "%s", output)
	rdb := c.client(t)
	require.Eventually(t, func() bool {
		synced := 0 // a replica that never was can't take over
		for _, s := range c {
			state, _ := s.client(t).ClusterInfo(t.Context()).Result()
			if !strings.HasPrefix(state, "cluster_state:ok") {
				return false
			}
			replication, _ := s.client(t).Info(t.Context(), "replication").Result()
			if strings.Contains(replication, "master_link_status:up") {
				synced++
			}
		}
		return synced == nodes/2 && rdb.Set(t.Context(), "ready", 1, time.Minute).Err() == nil
	}, 30*time.Second, 100*time.Millisecond, "the cluster is not ready")
	return c
}

func (c redisCluster) client(t *testing.T) *redis.ClusterClient {
	t.Helper()
	var addrs []string
	for _, s := range c {
		addrs = append(addrs, s.addr)
	}
	rdb := redis.NewClusterClient(&redis.ClusterOptions{Addrs: addrs})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func (c redisCluster) stop(addr string) {
	for _, s := range c {
		if s.addr == addr {
			s.stop()
		}
	}
}

// freeClusterAddr is one whose port is free, and the cluster's own port, which is
// 10,000 higher.
func freeClusterAddr(t *testing.T) string {
	t.Helper()
	for range 100 {
		port := 15000 + mathrand.N(7000)
		if isFree(port) && isFree(port+10000) {
			return "127.0.0.1:" + strconv.Itoa(port)
		}
	}
	t.Fatal("no port is free")
	return ""
}

func isFree(port int) bool {
	l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
	if err != nil {
		return false
	}
	return l.Close() == nil
}

type certificateFiles struct{ cert, key string }

// newCertificate makes a certificate that signs itself, and the config that trusts
// it.
func newCertificate(t *testing.T) (certificateFiles, *tls.Config) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true,
	}, &x509.Certificate{SerialNumber: big.NewInt(1)}, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	files := certificateFiles{filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")}
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(files.cert, certPEM, 0o600))
	require.NoError(t, os.WriteFile(files.key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(certPEM))
	return files, &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}
}
