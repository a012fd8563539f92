print("the road is not laid yet")
