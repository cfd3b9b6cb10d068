package midredis

import (
	"context"
	"log/slog"
	"sync/atomic"
)

// health reports each change of Redis in the log, once.
type health struct {
	logger *slog.Logger
	// What goes on without Redis, and what is shared again with it.
	gone, back string

	down atomic.Bool
}

func (h *health) failed(ctx context.Context, err error) {
	if !h.down.Swap(true) {
		h.logger.LogAttrs(ctx, slog.LevelWarn, h.gone, slog.String("error", err.Error()))
	}
}

func (h *health) well(ctx context.Context) {
	if h.down.Load() && h.down.Swap(false) {
		h.logger.LogAttrs(ctx, slog.LevelInfo, h.back)
	}
}
