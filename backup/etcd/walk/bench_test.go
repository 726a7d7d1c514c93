package walk

import (
	"context"
	"fmt"
	"strings"
	"testing"

	clientv3 "go.etcd.io/etcd/client/v3"
)

// BenchmarkWalk walks 20,000 keys of 1 kB on both sides, with both members in
// this process: their work is in the figure, their memory in the allocations.
func BenchmarkWalk(b *testing.B) {
	const keys, together = 20_000, 100
	s := newSides(b)
	text := strings.Repeat("color: blue\n", 70)
	for i := 0; i < keys; i += together {
		var puts []clientv3.Op
		for j := range together {
			name := fmt.Sprintf("web-%06d", i+j)
			puts = append(puts, clientv3.OpPut("/registry/configmaps/shop/"+name, string(configMap(name, text))))
		}
		for _, m := range []*member{s.live, s.restored} {
			answer, err := m.Txn(context.Background()).Then(puts...).Commit()
			if err != nil {
				b.Fatal(err)
			}
			s.at = answer.Header.Revision
		}
	}
	o := s.options(b)
	for b.Loop() {
		walked, err := Walk(context.Background(), o)
		if err != nil || walked.Match.Equal != keys+1 {
			b.Fatalf("%d keys are equal, %v", walked.Match.Equal, err)
		}
	}
	b.ReportMetric(float64(b.N)*keys/b.Elapsed().Seconds(), "keys/s")
}
