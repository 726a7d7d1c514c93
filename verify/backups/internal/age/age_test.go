package age

import (
	"testing"
	"time"
)

func TestHuman(t *testing.T) {
	for age, want := range map[time.Duration]string{
		-time.Second: "0s", 45*time.Second + 999*time.Millisecond: "45s", 12*time.Minute + 30*time.Second: "12m30s",
		3*time.Hour + 12*time.Minute + 59*time.Second: "3h12m", 99*time.Hour + 59*time.Minute: "4d3h",
	} {
		if got := Human(age); got != want {
			t.Errorf("%s: %s, want %s", age, got, want)
		}
	}
}

func TestAsWritten(t *testing.T) {
	for limit, want := range map[time.Duration]string{
		26 * time.Hour: "26h", 90 * time.Second: "1m30s", 90 * time.Minute: "1h30m", time.Hour + time.Second: "1h0m1s", 10 * time.Minute: "10m",
	} {
		if got := AsWritten(limit); got != want {
			t.Errorf("%s: %s, want %s", limit, got, want)
		}
	}
}
