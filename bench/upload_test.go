package bench

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"math"
	"mime/multipart"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mobid-io/mid-go"
	"github.com/mobid-io/mid-go/bench/server"
)

var uploadMiB = flag.Int64("upload", 8, "size of the uploaded file in MiB")

const (
	documentID     = "doc_abc123"
	documentAnswer = `{"success":true,"data":{"id":"` + documentID + `","name":"%PAD%","content_type":"application/pdf","size":1,"sha256":"","created_at":"2026-01-02T03:04:05Z"},"meta":{"request_id":"req_2bQd9mXf4kLr7T","timestamp":"2026-01-02T03:04:05Z"}}`
)

// pages is a file that is not in memory. Every eight bytes of it are their own
// number, so that a piece that is missing or sent twice changes its sum.
type pages struct{ at, size int64 }

func (p *pages) Read(b []byte) (int, error) {
	if p.at == p.size {
		return 0, io.EOF
	}
	b = b[:min(int64(len(b)), p.size-p.at)]
	n := 0
	for n < len(b) {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], uint64(p.at/8))
		copied := copy(b[n:], word[p.at%8:])
		n += copied
		p.at += int64(copied)
	}
	return n, nil
}

func (*pages) Close() error { return nil }

// uploader sends one file to a server.
type uploader struct {
	name string
	make func(baseURL string, size int64) (Op, error)
}

var uploaders = []uploader{{Floor, floorUpload}, {"mid", midUpload}}

// floorUpload is a form written by hand: its head and tail in memory, the file
// in between, a known length. A cut connection is tried once more.
func floorUpload(baseURL string, size int64) (Op, error) {
	client := Env{}.client()
	return func(ctx context.Context) error {
		var form bytes.Buffer
		w := multipart.NewWriter(&form)
		if _, err := w.CreateFormFile("file", "contract.pdf"); err != nil {
			return err
		}
		head := form.Len()
		if err := w.Close(); err != nil {
			return err
		}
		send := func() (*http.Response, error) {
			body := io.MultiReader(bytes.NewReader(form.Bytes()[:head]), &pages{size: size}, bytes.NewReader(form.Bytes()[head:]))
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, baseURL+"/v1/signing/documents", body)
			if err != nil {
				return nil, err
			}
			req.ContentLength = int64(form.Len()) + size
			req.Header.Set("Authorization", "Bearer "+token)
			req.Header.Set("Content-Type", w.FormDataContentType())
			return client.Do(req)
		}
		resp, err := send()
		if err != nil {
			resp, err = send()
		}
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}, nil
}

func midUpload(baseURL string, size int64) (Op, error) {
	client, err := newMID(Env{BaseURL: baseURL}, withLogger(),
		mid.WithRetry(mid.RetryPolicy{MaxRetries: 1, MinWait: time.Millisecond, MaxWait: time.Millisecond}))
	if err != nil {
		return nil, err
	}
	file := mid.File{
		Name: "contract.pdf",
		Size: size,
		Open: func() (io.ReadCloser, error) { return &pages{size: size}, nil },
	}
	return func(ctx context.Context) error {
		doc, err := client.Signing.UploadDocument(ctx, mid.UploadSigningDocumentParams{File: file})
		if err != nil {
			return err
		}
		return want(doc.ID, documentID)
	}, nil
}

// TestUpload sends a large file, also when the connection is cut half-way and
// all is sent again: the file must arrive as it is, and the heap must not grow
// with it. Run it with -upload 1024 for a gibibyte.
func TestUpload(t *testing.T) {
	const most = 2 << 20
	size := *uploadMiB << 20
	var b strings.Builder
	fmt.Fprintf(&b, "\n%d MiB over loopback\n\n| upload | raw | mid | x | heap growth, raw | heap growth, mid |\n| --- | ---: | ---: | ---: | ---: | ---: |\n", *uploadMiB)
	for _, row := range []struct {
		name string
		cuts int
	}{{"sent once", 0}, {"cut half-way, sent again", 1}} {
		var took, grown [2][]float64
		for range 3 {
			for i, u := range uploaders {
				d, growth := upload(t, u, size, row.cuts)
				took[i] = append(took[i], d.Seconds())
				grown[i] = append(grown[i], float64(growth))
				if u.name == "mid" && growth > most && !raceEnabled {
					t.Errorf("%s: the heap grew by %d bytes, want at most %d", row.name, growth, most)
				}
			}
		}
		ratios := make([]float64, len(took[0]))
		for i := range ratios {
			ratios[i] = took[1][i] / took[0][i]
		}
		fmt.Fprintf(&b, "| %s | %.2f s | %.2f s | %.2f | %.2f MiB | %.2f MiB |\n", row.name,
			middle(took[0]), middle(took[1]), middle(ratios),
			slices.Max(grown[0])/(1<<20), slices.Max(grown[1])/(1<<20))
	}
	t.Log(b.String())
	checkSum(t)
}

// checkSum sends a file that the server sums up, after a cut.
func checkSum(t *testing.T) {
	t.Helper()
	const size = 5<<20 + 3
	sink := startSink(t, true)
	sink.Cut(1)
	op, err := midUpload(sink.URL, size)
	if err != nil {
		t.Fatal(err)
	}
	repeat(t, op, 1)
	whole := sha256.New()
	if _, err := io.Copy(whole, &pages{size: size}); err != nil {
		t.Fatal(err)
	}
	if got, ok := sink.Sum(); !ok || !bytes.Equal(got[:], whole.Sum(nil)) {
		t.Error("the file that arrived is not the file that was sent")
	}
}

// upload sends one file and tells the time it took and by how much the heap,
// garbage included, was ever larger than before.
func upload(t *testing.T, u uploader, size int64, cuts int) (took time.Duration, growth int64) {
	t.Helper()
	sink := startSink(t, false)
	op, err := u.make(sink.URL, size)
	if err != nil {
		t.Fatal(err)
	}
	sink.Cut(cuts)
	runtime.GC()
	watch := watchHeap()
	start := time.Now()
	err = op(context.Background())
	took = time.Since(start)
	growth = watch()
	if err != nil {
		t.Fatalf("%s: %v", u.name, err)
	}
	return took, growth
}

func startSink(t testing.TB, sum bool) *server.Sink {
	t.Helper()
	sink, err := server.StartSink(pad(documentAnswer, AnswerSize), sum)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sink.Close)
	return sink
}

// watchHeap looks at the heap every millisecond until the returned function is
// called, which tells the growth to the highest point.
func watchHeap() func() int64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	heap := func() int64 {
		metrics.Read(sample)
		return int64(sample[0].Value.Uint64())
	}
	before := heap()
	highest := int64(math.MinInt64)
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			highest = max(highest, heap())
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-stopped
		return max(highest, heap()) - before
	}
}

func middle(values []float64) float64 {
	return slices.Sorted(slices.Values(values))[len(values)/2]
}

// BenchmarkUpload is TestUpload's first row in rounds.
func BenchmarkUpload(b *testing.B) {
	for _, u := range uploaders {
		b.Run(u.name, func(b *testing.B) {
			op, err := u.make(startSink(b, false).URL, *uploadMiB<<20)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(*uploadMiB << 20)
			oneCaller(b, op)
		})
	}
}
