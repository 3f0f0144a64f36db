print("switchfs")
