package midredis

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// health reports each change of Redis in the log, once.
type health struct {
	logger *slog.Logger
	share  string // what the processes share
	down   atomic.Bool
}

func (h *health) failed(ctx context.Context, err error) {
	if !h.down.Swap(true) {
		h.logger.LogAttrs(ctx, slog.LevelWarn, "mid: Redis fails, and each process goes by itself", slog.String("share", h.share), slog.String("error", err.Error()))
	}
}

func (h *health) well(ctx context.Context) {
	if h.down.Load() && h.down.Swap(false) {
		h.logger.LogAttrs(ctx, slog.LevelInfo, "mid: Redis is back, and the processes share again", slog.String("share", h.share))
	}
}
