package objects

import "testing"

func TestChangedConfigMap(t *testing.T) {
	wanted := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: shop, name: settings, uid: a, resourceVersion: '1'}, data: {color: red}}")
	found := parse(t, "{apiVersion: v1, kind: ConfigMap, metadata: {namespace: drill, name: settings, uid: b, resourceVersion: '2'}, data: {color: green}}")
	result, err := Comparison{Wanted: NewSet(wanted), Found: NewSet(found), Namespaces: map[string]string{"shop": "drill"}, Keep: 10}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(result.Loss) != 1 || result.Loss[0].String() != `ConfigMap shop/settings: data.color: wanted "red", found "green"` {
		t.Errorf("%+v", result)
	}
}
