package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Receiver asks a webhook receiver what Alertmanager has sent it.
type Receiver struct{ endpoint *endpoint }

// NewReceiver makes a client; it asks nothing yet. The URL is the whole
// address of the list, not a prefix.
func NewReceiver(config Config) (*Receiver, error) {
	endpoint, err := newEndpoint("the webhook receiver", config)
	if err != nil {
		return nil, err
	}
	return &Receiver{endpoint: endpoint}, nil
}

// String names the server without its credentials.
func (r *Receiver) String() string { return r.endpoint.String() }

// Delivery is one alert of one notification that arrived.
type Delivery struct {
	At       time.Time // by the receiver's clock
	Receiver string    // Alertmanager's name for it
	Status   string    // firing or resolved
	Labels   map[string]string
	StartsAt time.Time
}

// Deliveries lists everything that arrived.
func (r *Receiver) Deliveries(ctx context.Context) ([]Delivery, error) {
	body, err := r.endpoint.get(ctx, "", nil, mediaJSON)
	if err != nil {
		return nil, err
	}
	deliveries, err := decodeDeliveries(body)
	if err != nil {
		return nil, fmt.Errorf("asking %s: %w", r, err)
	}
	return deliveries, nil
}

func decodeDeliveries(body []byte) ([]Delivery, error) {
	var entries *[]struct {
		At           time.Time `json:"at"`
		ReceivedAt   time.Time `json:"receivedAt"`
		Notification *struct {
			Receiver string `json:"receiver"`
			Alerts   []struct {
				Status   string            `json:"status"`
				Labels   map[string]string `json:"labels"`
				StartsAt time.Time         `json:"startsAt"`
			} `json:"alerts"`
		} `json:"notification"`
	}
	if err := json.Unmarshal(body, &entries); err != nil {
		return nil, fmt.Errorf("the answer is no list of notifications: %w", err)
	}
	if entries == nil {
		return nil, errors.New("the answer is null where a list was expected")
	}
	var deliveries []Delivery
	for _, entry := range *entries {
		at := entry.At
		if at.IsZero() {
			at = entry.ReceivedAt
		}
		if at.IsZero() || entry.Notification == nil {
			return nil, errors.New("a notification without its time of arrival, or without content")
		}
		for _, alert := range entry.Notification.Alerts {
			deliveries = append(deliveries, Delivery{
				At: at, Receiver: entry.Notification.Receiver,
				Status: alert.Status, Labels: alert.Labels, StartsAt: alert.StartsAt,
			})
		}
	}
	return deliveries, nil
}
