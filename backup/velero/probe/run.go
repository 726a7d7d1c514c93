package probe

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/client-go/kubernetes"

	"gameday.dev/gameday/internal/kube"
)

// tryAgain is how long the application is left alone between two tries.
const tryAgain = time.Second

// Options say where the restored application is and how it is reached.
type Options struct {
	Client kubernetes.Interface
	Exec   kube.Executor
	// Namespace is the one that was restored into.
	Namespace string
}

// Run tries the probe until it passes or its time is over: a database takes its time
// to recover. It tells at which try it passed and in which pod; the error is why it
// did not.
func (s *Spec) Run(ctx context.Context, options Options) (passed string, err error) {
	trying, cancel := context.WithTimeout(ctx, s.timeout())
	defer cancel()
	why := errors.New("it was not tried")
	for tries := 1; ; tries++ {
		answered, err := s.try(trying, options)
		if err == nil {
			return fmt.Sprintf("at try %d, %s", tries, answered), nil
		}
		if trying.Err() == nil || tries == 1 {
			why = err // the try that was cut short says less
		}
		if kube.Pause(trying, tryAgain) != nil {
			return "", why
		}
	}
}

func (s *Spec) try(ctx context.Context, options Options) (answered string, err error) {
	if s.Exec != nil {
		return s.Exec.try(ctx, options)
	}
	return s.HTTP.try(ctx, options)
}
