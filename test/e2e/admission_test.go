package e2e

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"

	admissionv1 "k8s.io/api/admission/v1"
	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// admitted has every object of a resource that a run makes changed by a JSON patch
// before the API server takes it. The API server must run on this machine.
func (s *scene) admitted(resource schema.GroupVersionResource, patch string) {
	s.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var review admissionv1.AdmissionReview
		if err := json.NewDecoder(r.Body).Decode(&review); err != nil || review.Request == nil {
			http.Error(w, "no review", http.StatusBadRequest)
			return
		}
		kind := admissionv1.PatchTypeJSONPatch
		review.Response = &admissionv1.AdmissionResponse{UID: review.Request.UID, Allowed: true, Patch: []byte(patch), PatchType: &kind}
		_ = json.NewEncoder(w).Encode(review) // an error here is the API server's, which went away
	}))
	s.Cleanup(server.Close)
	effects, policy := admissionregistrationv1.SideEffectClassNone, admissionregistrationv1.Ignore
	configurations := s.client.AdmissionregistrationV1().MutatingWebhookConfigurations()
	made, err := configurations.Create(s.ctx, &admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{GenerateName: s.ns + "-"},
		Webhooks: []admissionregistrationv1.MutatingWebhook{{
			Name: "admitted.e2e.gameday.dev",
			ClientConfig: admissionregistrationv1.WebhookClientConfig{
				URL: &server.URL, CABundle: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}),
			},
			Rules: []admissionregistrationv1.RuleWithOperations{{
				Operations: []admissionregistrationv1.OperationType{admissionregistrationv1.Create},
				Rule:       admissionregistrationv1.Rule{APIGroups: []string{resource.Group}, APIVersions: []string{resource.Version}, Resources: []string{resource.Resource}},
			}},
			ObjectSelector:          &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: labelRun, Operator: metav1.LabelSelectorOpExists}}},
			FailurePolicy:           &policy, // what a killed suite leaves must not block a kept cluster
			SideEffects:             &effects,
			AdmissionReviewVersions: []string{"v1"},
		}},
	}, metav1.CreateOptions{})
	s.must(err)
	s.Cleanup(func() { s.must(configurations.Delete(s.ctx, made.Name, metav1.DeleteOptions{})) })
}
