package faults

import (
	"context"
	"errors"
	"sync"
)

// background are tasks that go on beside a case.
type background struct {
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	mu     sync.Mutex
	errs   []error
}

func (w *world) inBackground(ctx context.Context) *background {
	b := &background{}
	b.ctx, b.cancel = context.WithCancel(ctx)
	return b
}

func (b *background) do(f func(ctx context.Context) error) {
	b.wg.Go(func() {
		if err := f(b.ctx); err != nil {
			b.mu.Lock()
			b.errs = append(b.errs, err)
			b.mu.Unlock()
		}
	})
}

// end stops the tasks and returns their errors with the case's own.
func (b *background) end(err error) error {
	b.cancel()
	b.wg.Wait()
	return errors.Join(append(b.errs, err)...)
}
